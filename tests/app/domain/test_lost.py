"""Why installs get lost, and how that is said."""

import pytest

from app.domain.funnel import LostCause
from app.domain.lost import Crossed, Late, Lost, Reason, advice, judge, reasons, sentence
from app.domain.window import HOUR_US, MINUTE_US

STEP_US, DUE_US = 100 * HOUR_US, 124 * HOUR_US
TOPIC = "installation.created"


def failed(at_us: int = STEP_US + MINUTE_US, what: str = TOPIC, ended: str = "500") -> Crossed:
    return Crossed(b"x" * 16, at_us, what, webhook=True, ended=ended, fault="partner")


def late(*failures: Crossed, last_us: int = 0, good: dict[str, int] | None = None) -> Late:
    return Late(STEP_US, DUE_US, last_us, good or {}, failures)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (late(), Lost(LostCause.STUCK)),
        (late(last_us=STEP_US), Lost(LostCause.STUCK)),
        (late(last_us=STEP_US + 1), Lost(LostCause.TIMED_OUT)),
        (late(failed(), last_us=STEP_US + MINUTE_US), Lost(LostCause.FAILED, failed())),
        (late(failed(STEP_US - MINUTE_US)), Lost(LostCause.FAILED, failed(STEP_US - MINUTE_US))),
        (late(failed(STEP_US - HOUR_US)), Lost(LostCause.STUCK)),
        (late(failed(DUE_US + 1), last_us=DUE_US + 1), Lost(LostCause.TIMED_OUT)),
        (late(failed(), last_us=DUE_US, good={TOPIC: DUE_US}), Lost(LostCause.TIMED_OUT)),
        (late(failed(), last_us=DUE_US, good={"ping": DUE_US}), Lost(LostCause.FAILED, failed())),
        (late(failed(), failed(DUE_US)), Lost(LostCause.FAILED, failed(DUE_US))),
    ],
)
def test_an_install_is_lost_to_what_failed_and_was_not_mended(found: Late, expected: Lost) -> None:
    assert judge(found) == expected


def test_a_drop_off_says_how_many_failed_at_what() -> None:
    lost = [("verified", LostCause.FAILED, failed())] * 31
    lost += [("verified", LostCause.STUCK, None)] * 13
    lost += [("authorized", LostCause.DECLINED, None)] * 90
    found = reasons(lost)
    assert found[:2] == [
        Reason("authorized", LostCause.DECLINED, 90),
        Reason("verified", LostCause.FAILED, 31, TOPIC, webhook=True, ended="500"),
    ]
    assert sentence("verified", found) == (
        "31 of 44 lost at verified had their `installation.created` webhook answered 500."
    )
    assert sentence("authorized", found) == (
        "All 90 lost at authorized were turned down by the customer."
    )
    assert sentence("started", found) == ""


def test_a_failure_is_told_before_a_greater_number_of_others() -> None:
    lost = [("verified", LostCause.FAILED, failed(ended="connect_error"))] * 2
    lost += [("verified", LostCause.STUCK, None)] * 5
    assert sentence("verified", reasons(lost)) == (
        "2 of 7 lost at verified had their `installation.created` webhook end in connect error."
    )


def test_what_to_do_names_who_has_to_do_it() -> None:
    assert advice(LostCause.FAILED, failed(), "verified") == (
        "The partner has to mend what ended the `installation.created` webhook (500); "
        "then send it again."
    )
    assert advice(LostCause.TIMED_OUT, None, "verified") == (
        "Exchanges succeed: ask the partner what verified waits for."
    )
    assert "ask the customer" in advice(None, None, "verified")
