"""What is stuck and what does not fit, in words."""

import pytest

from app.domain.reconcile import Discrepancy
from app.domain.window import DAY_US, HOUR_US
from app.queries.installations import FailureView, FindingView, InstallationView, Reconciled
from app.queries.stories import Moment
from dashboards.pages import witness_rows as rows
from tests.contract.worlds import NOW_US

NONE = {kind.value: 0 for kind in Discrepancy}


def installation(**of) -> InstallationView:
    plain = {
        "id": "globex-issues:a/b", "integration": "globex-issues", "installation": "a/b",
        "customer": "cust-1", "state": "installing", "plan": None, "source": None, "reason": None,
        "entered_us": NOW_US - 2 * DAY_US, "activated_us": None, "uninstalled_us": None,
        "next_step": "verified", "due_us": NOW_US - HOUR_US, "lost_cause": None, "failure": None,
        "last_event_us": NOW_US - 2 * DAY_US, "advice": "Ask.",
    }  # fmt: skip
    return InstallationView(**{**plain, **of})


@pytest.mark.parametrize(
    ("stuck", "found", "expected"),
    [
        (0, Reconciled((), NONE, NOW_US, 412),
         "No installs are stuck, and platform, wire and billing agree about 412 installations."),
        (1, Reconciled((), NONE, NOW_US, 1),
         "1 install is stuck, and platform, wire and billing agree about 1 installation."),
        (3, Reconciled((), NONE | {"installed_twice": 2, "paying_but_silent": 5}, NOW_US, 9),
         "3 installs are stuck, and there are 7 contradictions, 5 of them: paying, but silent."),
        (0, Reconciled((), NONE | {"installed_twice": 1}, NOW_US, 9),
         "No installs are stuck, and there is 1 contradiction: installed twice."),
        (2, Reconciled((), NONE, None, 0),
         "2 installs are stuck; witnesses were not compared yet: the scheduler does so every "
         "minute."),
    ],
)  # fmt: skip
def test_the_page_opens_with_what_is_stuck_and_what_does_not_fit(stuck, found, expected) -> None:
    assert rows.sentence(stuck, found) == expected


def test_a_stuck_install_says_how_late_it_is_what_failed_and_what_to_do() -> None:
    failed = FailureView("x", NOW_US, "installation.created", True, "500", "partner")
    row = rows.stuck_row(installation(failure=failed), NOW_US)
    assert (row["late"], row["failed"]) == (HOUR_US, "installation.created · 500")
    assert row["href"] == "/installations/globex-issues%3Aa%2Fb"
    assert rows.stuck_row(installation(), NOW_US)["failed"] == "nothing failed"


def test_every_kind_of_contradiction_has_a_name_and_its_evidence_words() -> None:
    assert rows.KINDS.keys() == {kind.value for kind in Discrepancy}
    view = FindingView(
        "globex-issues", "a/b", "calling_without_install", NOW_US - DAY_US, NOW_US, NOW_US, None,
        {"calls": 1200, "last_call_us": NOW_US},
    )  # fmt: skip
    row = rows.finding_row(view, NOW_US)
    assert row["kind"] == "Calling without an install"
    assert row["evidence"].startswith("1,200 calls · last call ")
    assert rows.evidence({"beside": "inst-1"}) == "inst-1 beside"


def test_a_story_tells_single_exchanges_and_whole_days() -> None:
    one = rows.moment_row(Moment(NOW_US, "webhook", "ping", "500", False, "id-1", 1, 1), 0)
    assert (one["what"], one["tone"], one["href"]) == ("ping", "bad", "/exchanges/id-1")
    day = rows.moment_row(Moment(NOW_US, "call", "", "", False, None, 1200, 3), 1)
    assert (day["what"], day["detail"], day["href"]) == ("1,200 on this day", "3 bad", None)
    wrong = rows.moment_row(Moment(NOW_US, "finding", "installed_twice", "lasts", False), 2)
    assert wrong["what"] == "Installed twice"
    paid = rows.moment_row(Moment(NOW_US, "billing", "invoice_paid", "", True), 3)
    assert paid["what"] == "invoice paid"


def test_the_page_of_an_installation_opens_with_where_it_stands() -> None:
    assert rows.standing(installation(), NOW_US) == "Stuck for cust-1 before verified. Ask."
    gone = installation(state="uninstalled", uninstalled_us=NOW_US - DAY_US, reason="too dear")
    assert rows.standing(gone, NOW_US).startswith("Uninstalled by cust-1 ")
    assert rows.standing(gone, NOW_US).endswith(" ago: too dear.")
    active = installation(state="active", customer=None, due_us=None, activated_us=NOW_US)
    assert rows.standing(active, NOW_US).startswith("Active, since ")
