"""Sums against a recount that looks at every exchange."""

from hypothesis import given
from hypothesis import strategies as st

from app.domain.window import MINUTE_US
from app.domain.words import Fault, Outcome, Verdict
from app.store.port import Series, StoredExchange
from collectors.loader.aggregate import aggregate
from collectors.record import Loss
from tests.collectors.loader.loader_fakes import NOW_US, recount, summed

slugs = st.sampled_from(["globex", "initech", "unattributed"])
bits = st.integers(0, 1)
instants = st.integers(NOW_US - 3 * MINUTE_US, NOW_US + 3 * MINUTE_US)
amounts = st.integers(-1, 2**45)

rows = st.builds(
    StoredExchange,
    id=st.binary(min_size=16, max_size=16),
    started_us=instants,
    direction=bits,
    kind=bits,
    integration=slugs,
    operation=st.sampled_from(["GET /a", "GET /b", "other"]),
    installation=st.just(""),
    customer=st.just(""),
    topic=st.just(""),
    method=st.just("GET"),
    path=st.just("/a"),
    status=st.just(200),
    outcome=st.sampled_from(Outcome).map(int),
    fault=st.sampled_from(Fault).map(int),
    verdict=st.sampled_from(Verdict).map(int),
    error=st.just(""),
    error_detail=st.just(""),
    queue_us=amounts,
    connect_us=amounts,
    tls_us=amounts,
    first_byte_us=amounts,
    total_us=amounts,
    request_bytes=amounts,
    response_bytes=amounts,
    delivery=st.just(""),
    attempt=st.just(1),
    trace_id=st.just(""),
    captured=st.booleans(),
)
losses = st.builds(Loss, minute_us=instants, integration=slugs, direction=bits, kind=bits,
                   count=st.integers(1, 10**6))  # fmt: skip


@given(st.lists(rows, max_size=60), st.lists(losses, max_size=5))
def test_sums_are_what_a_recount_finds_at_both_levels(exchanges, lost):
    assert summed(aggregate(exchanges, lost)) == recount(exchanges, lost)


@given(st.lists(rows, min_size=2, max_size=40), st.integers(1, 39))
def test_two_batches_add_up_to_one(exchanges, cut):
    parts = [*aggregate(exchanges[:cut]), *aggregate(exchanges[cut:])]
    whole = summed(aggregate(exchanges))
    for key, counts in whole.items():
        mine = [each for each in parts if (each.series, each.minute_us) == key]
        for name in ("exchanges", "good", "bad", "excluded", "total_us", "request_bytes"):
            assert sum(getattr(each, name) for each in mine) == counts[name]


def test_nothing_adds_nothing():
    assert aggregate([]) == []


def test_losses_alone_are_shed_of_the_integration_and_no_exchange():
    [found] = aggregate([], [Loss(NOW_US + 7, "globex", 1, 0, 3), Loss(NOW_US, "globex", 1, 0, 4)])
    assert found.series == Series("globex", 1, 0)
    assert (found.minute_us, found.shed, found.exchanges) == (NOW_US, 7, 0)
    assert (found.tally, found.latency) == (b"", b"")
