"""Activity against a recount that looks at every exchange."""

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from app.domain.window import DAY_US, floor
from app.domain.words import Fault, Verdict
from collectors.loader.activity import activity
from tests.contract.worlds import NOW_US, exchange

rows = st.builds(
    exchange,
    st.integers(NOW_US - 2 * DAY_US, NOW_US),
    direction=st.integers(0, 1),
    kind=st.integers(0, 1),
    integration=st.sampled_from(["globex", "initech"]),
    installation=st.sampled_from(["", "a", "b"]),
    customer=st.sampled_from(["", "c"]),
    fault=st.sampled_from(Fault).map(int),
    verdict=st.sampled_from(Verdict).map(int),
)


@given(st.lists(rows, max_size=60))
def test_activity_is_what_a_recount_finds(exchanges) -> None:
    groups = defaultdict(list)
    for row in exchanges:
        if row.installation:
            day_us = floor(row.started_us, DAY_US)
            key = (row.integration, row.installation, row.direction, row.kind, day_us)
            groups[key].append(row)
    found = {row[:2] + row[3:6]: row[6:] for row in activity(exchanges).rows()}
    assert found == {key: _counted(group) for key, group in groups.items()}


@given(st.lists(rows, max_size=30))
def test_a_customer_is_known_once_it_was_told(exchanges) -> None:
    told = {(row.integration, row.installation) for row in exchanges if row.customer}
    for row in activity(exchanges).rows():
        assert (row.customer == "c") == (row[:2] in told)


def _counted(group) -> tuple[int, ...]:
    good = [row.started_us for row in group if row.verdict == Verdict.GOOD]
    starts = [row.started_us for row in group]
    faults = (Fault.PARTNER, Fault.PLATFORM, Fault.NETWORK, Fault.CUSTOMER)
    return (
        len(group),
        len(good),
        sum(row.verdict == Verdict.BAD for row in group),
        *(sum(row.fault == fault for row in group) for fault in faults),
        min(starts),
        max(starts),
        min(good, default=0),
        max(good, default=0),
    )
