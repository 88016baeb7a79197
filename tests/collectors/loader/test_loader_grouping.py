"""Error groups against a recount that looks at every exchange."""

from collections import Counter, defaultdict

from hypothesis import given
from hypothesis import strategies as st

from app.domain import distinct
from app.domain.window import HOUR_US, floor
from app.domain.words import Outcome
from app.store.port import StoredCapture
from collectors.loader.batch import Preparer
from collectors.loader.grouping import group
from collectors.record import Capture
from tests.collectors.loader.loader_fakes import NOW_US, exchange
from tests.contract.worlds import exchange as stored

details = st.sampled_from(["", "connection refused", "no row 17", "no row 4711"])
rows = st.builds(
    stored,
    started_us=st.integers(NOW_US - 3 * HOUR_US, NOW_US),
    outcome=st.sampled_from(Outcome).map(int),
    operation=st.sampled_from(["GET /a", "POST /b"]),
    installation=st.sampled_from(["", "i1", "i2", "i3"]),
    error_detail=details,
)


@given(st.lists(rows, max_size=50))
def test_every_failure_is_counted_once_in_its_hour(found):
    expected: Counter[tuple[str, int, int]] = Counter()
    for row in found:
        if row.outcome:
            key = (row.operation, row.outcome, floor(row.started_us, HOUR_US))
            expected[key] += 1
    counted: Counter[tuple[str, int, int]] = Counter()
    sums = group(found, ())
    for each in sums:
        counted[each.group.operation, each.group.outcome, each.hour_us] += each.exchanges
    assert counted == expected
    assert len({(each.group, each.hour_us) for each in sums}) == len(sums)
    assert not any("17" in each.group.message for each in sums)


@given(st.lists(rows, max_size=50))
def test_first_last_and_sample_are_those_of_the_group(found):
    members = defaultdict(list)
    for row in found:
        if row.outcome:
            key = (row.operation, row.outcome, row.error_detail.rstrip("0123456789"))
            members[(*key, floor(row.started_us, HOUR_US))].append(row)
    for each in group(found, ()):
        said = each.group.message.removesuffix("{n}")
        mine = members[each.group.operation, each.group.outcome, said, each.hour_us]
        assert each.first_us == min(row.started_us for row in mine)
        newest = max(mine, key=lambda row: row.id)
        assert (each.sample, each.last_us) == (newest.id, newest.started_us)
        touched = {row.installation for row in mine if row.installation}
        assert distinct.estimate(each.installations) == len(touched)


def test_an_answer_says_what_failed_when_the_error_has_no_words():
    row = stored(outcome=int(Outcome.SERVER_ERROR), status=500)
    body = b'{"error": "null value in column \\"team_id\\" of row 17"}'
    [found] = group([row], [StoredCapture(row.id, (), b"", (), body)])
    assert found.group.message == "null value in column '…' of row {n}"
    assert found.example == 'null value in column "team_id" of row 17'


def test_good_exchanges_are_in_no_group():
    assert group([stored()], ()) == []


def failing(body: bytes, **fields):
    headers = [("content-type", "application/json")]
    return exchange(
        outcome=int(Outcome.SERVER_ERROR), status=500, response_bytes=len(body),
        capture=Capture([], b"", headers, body), **fields,
    )  # fmt: skip


def test_no_secret_of_an_answer_is_in_a_message():
    secret = "sk_live_51H8xk2eZvKYlo2C0abcdefgh"
    body = b'{"message": "bad key %s for ann@example.com"}' % secret.encode()
    batch = Preparer("s" * 32).prepare([failing(body)]).batch
    [found] = batch.errors
    assert secret not in repr(found)
    assert "ann@" not in repr(found)
    assert found.group.message.startswith("bad key [scrubbed]")


def test_replaying_the_same_records_makes_the_same_groups():
    records = [failing(b'{"message": "no %d"}' % n, started_us=NOW_US + n) for n in range(5)]
    one, other = (Preparer("s" * 32).prepare(records).batch.errors for _ in range(2))
    assert one == other
    assert [each.exchanges for each in one] == [5]
