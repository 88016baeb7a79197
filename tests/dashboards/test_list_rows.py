"""A partner's own list, in words."""

import pytest

from app.domain.partner_list import Difference, ListDifference
from app.domain.window import HOUR_US, MINUTE_US
from app.queries.partner_lists import Failure, ListView
from dashboards.pages import list_rows as rows
from tests.contract.worlds import NOW_US

NONE = {each.value: 0 for each in ListDifference}
MINE = Difference(ListDifference.MISSING_HERE, "b", None, "active")


def view(**of) -> ListView:
    plain = {
        "taken_us": NOW_US - HOUR_US, "tried_us": NOW_US - HOUR_US, "failure": None,
        "every_us": None, "listed": 3, "counts": NONE, "items": (),
    }  # fmt: skip
    return ListView(**{**plain, **of})


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (view(), "The list of 3 installations, taken 1\u202fh ago, says the same as here."),
        (view(listed=1), "The list of 1 installation, taken 1\u202fh ago, says the same as here."),
        (view(counts=NONE | {"missing_here": 700, "different_state": 2}, items=(MINE,)),
         "The list of 3 installations, taken 1\u202fh ago, differs in 702: 700 missing here, 2 "
         "another state. The first 1 are shown."),
        (view(taken_us=None, tried_us=None), "No list was taken yet: the partner posts it, or"),
        (view(taken_us=None, tried_us=None, every_us=6 * HOUR_US),
         "No list was taken yet: it is pulled every 6\u202fh."),
        (view(tried_us=NOW_US - 5 * MINUTE_US,
              failure=Failure("paging_loops", "page 3 leads back")),
         "says the same as here. The one of 5\u202fmin ago was not taken (paging loops): page 3 "
         "leads back. The list before stands."),
    ],
)  # fmt: skip
def test_the_panel_says_what_there_is_and_why_the_newest_was_not_taken(found, expected) -> None:
    assert expected in rows.said(found, NOW_US)


def test_every_difference_has_a_name_and_what_is_missing_here_no_page() -> None:
    assert rows.KINDS.keys() == {each.value for each in ListDifference}
    row = rows.row("globex-issues", MINE)
    assert (row["kind"], row["href"], row["here"], row["there"]) == (
        "Missing here", None, "not known", "active"
    )  # fmt: skip
    known = rows.row("s", Difference(ListDifference.MISSING_THERE, "a/b", "active", None))
    assert known["href"] == "/installations/s%3Aa%2Fb"
