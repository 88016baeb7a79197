import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.health import MIN_EVENTS, RANK, Facts, Status, assess, wilson
from app.domain.objective import Objective
from app.domain.phrases import faults_in_words, percent, period, span
from app.domain.sentence import Evidence, Group, sentence
from app.domain.window import DAY_US, HOUR_US, MINUTE_US

AVAILABLE = Objective("availability", 0.995, 28 * DAY_US)
QUICK = Objective("latency", 0.95, 28 * DAY_US, 800_000)
BOTH = (AVAILABLE, QUICK)


def plain(text: str) -> str:
    return text.replace("\u202f", " ")


def facts(good=0, bad=0, fault="partner", **more):
    by_fault = {fault: bad} if bad else {}
    defaults = {"answered": good + bad, "timed": good + bad, "bad_by_fault": by_fault}
    return Facts(good=good, bad=bad, **{**defaults, **more})


CASES = [
    ("idle: nobody called", facts(), BOTH, "idle", ["no exchange in this window"]),
    (
        "silent: tried, never answered",
        facts(bad=40, answered=0),
        BOTH,
        "silent",
        ["none of 40 exchanges was answered, partner"],
    ),
    (
        "too few, however bad",
        facts(bad=MIN_EVENTS - 1, answered=0),
        BOTH,
        "not_enough_data",
        ["19 of the 20 exchanges a ratio needs"],
    ),
    ("enough", facts(good=MIN_EVENTS), BOTH, "healthy", []),
    (
        "failing with the objective and the fault",
        facts(good=916, bad=84),
        BOTH,
        "failing",
        ["8.4 % errors (objective 0.5 %), partner"],
    ),
    (
        "degraded: above the objective, not yet failing",
        facts(good=9_900, bad=100),
        BOTH,
        "degraded",
        ["1 % errors (objective 0.5 %), partner"],
    ),
    (
        "a bad moment of a small integration is not yet a fact",
        facts(good=49, bad=1),
        BOTH,
        "healthy",
        [],
    ),
    (
        "without an objective the usual one is named",
        facts(good=950, bad=50),
        (),
        "degraded",
        ["5 % errors (no objective; usual 1 %), partner"],
    ),
    (
        "a lax objective still fails at one half",
        facts(good=50, bad=50),
        (Objective("a", 0.8, DAY_US),),
        "failing",
        ["50 % errors (objective 20 %), partner"],
    ),
    (
        "slow",
        facts(good=1_000, above={800: 120}),
        BOTH,
        "slow",
        ["12 % slower than 800 ms (objective 5 %)"],
    ),
    ("slow but within the objective", facts(good=1_000, above={800: 50}), BOTH, "healthy", []),
    (
        "errors come before slowness, both are said",
        facts(good=916, bad=84, above={800: 120}),
        BOTH,
        "failing",
        ["8.4 % errors (objective 0.5 %), partner", "12 % slower than 800 ms (objective 5 %)"],
    ),
    (
        "many excluded are a reason to read",
        facts(good=80, excluded=20, excluded_by_fault={"customer": 20}),
        BOTH,
        "healthy",
        ["20 % excluded, customer"],
    ),
    (
        "few excluded are not",
        facts(good=100, excluded=5, excluded_by_fault={"customer": 5}),
        BOTH,
        "healthy",
        [],
    ),
    (
        "all excluded",
        facts(excluded=200, excluded_by_fault={"platform": 200}),
        BOTH,
        "not_enough_data",
        ["no exchange counts for an objective", "100 % excluded, platform"],
    ),
    ("shed is said", facts(good=100, shed=12), BOTH, "healthy", ["12 passed unrecorded"]),
    (
        "nothing but shed is neither idle nor healthy",
        facts(shed=12),
        BOTH,
        "not_enough_data",
        ["nothing was recorded", "12 passed unrecorded"],
    ),
    (
        "paused comes before all",
        facts(bad=100, answered=0, paused=True),
        BOTH,
        "paused",
        ["paused in the registry"],
    ),
    (
        "two faults are both named",
        facts(good=900, bad=100, bad_by_fault={"network": 45, "partner": 55}),
        BOTH,
        "failing",
        ["10 % errors (objective 0.5 %), partner and network"],
    ),
]


@pytest.mark.parametrize(
    ("given_facts", "objectives", "status", "reasons"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_status_and_reasons(given_facts, objectives, status, reasons):
    found = assess(given_facts, objectives)
    assert (found.status, [plain(reason) for reason in found.reasons]) == (status, reasons)


WEBHOOKS = Group("webhooks", 1_000, 84)
CALLS = Group("calls to the partner", 2_000, 0)
SENTENCES = [
    ("one cause, one operation", facts(good=2_916, bad=84),
     Evidence((WEBHOOKS, CALLS), {"server_error": 84}, {"installation.created": 84}),
     "8.4 % of webhooks answered 5xx in the last hour. It is on the partner's side:"
     " every failure is `installation.created`."),
    ("two groups share the failures", facts(good=900, bad=100),
     Evidence((WEBHOOKS, Group("calls to the partner", 10, 5)),
              {"timeout": 60, "server_error": 40}, {"a": 30, "b": 30, "c": 40}),
     "10 % of exchanges failed in the last hour. It is on the partner's side,"
     " spread over 3 operations."),
    ("a main operation among others", facts(good=900, bad=100),
     Evidence((Group("webhooks", 1_000, 100),), {"timeout": 95, "server_error": 5},
              {"a": 70, "b": 30}),
     "10 % of webhooks failed in the last hour; most timed out. It is on the partner's side:"
     " 70 % of failures are `a`."),
    ("no operations known", facts(good=900, bad=100, fault="network"),
     Evidence((Group("webhooks", 1_000, 100),), {"dns_error": 100}),
     "10 % of webhooks found no address in the last hour. It is the network between."),
    ("mostly one side", facts(good=900, bad=100, bad_by_fault={"partner": 95, "network": 5}),
     Evidence((Group("webhooks", 1_000, 100),), {"timeout": 100}),
     "10 % of webhooks timed out in the last hour. It is mostly on the partner's side."),
    ("several sides", facts(good=900, bad=100, bad_by_fault={"partner": 55, "network": 45}),
     Evidence((Group("webhooks", 1_000, 100),), {"timeout": 100}),
     "10 % of webhooks timed out in the last hour. More than one side has to act."),
    ("silent", facts(bad=1_240, answered=0),
     Evidence((Group("webhooks", 1_240, 1_240),), {"connect_error": 1_240}, {"a": 1_240}),
     "None of 1,240 webhooks was answered in the last hour. It is on the partner's side:"
     " every failure is `a`."),
    ("silent on all sides", facts(bad=1_240, answered=0),
     Evidence((Group("webhooks", 240, 240), Group("calls to the partner", 1_000, 1_000))),
     "None of 1,240 exchanges was answered in the last hour. It is on the partner's side."),
    ("all good", facts(good=12_310), Evidence(),
     "All 12,310 exchanges were good in the last hour."),
    ("nearly all good", facts(good=12_307, bad=3), Evidence(),
     "All but 3 of 12,310 exchanges were good in the last hour."),
    ("idle", facts(), Evidence(), "Nobody called in the last hour."),
    ("few", facts(good=7), Evidence(), "Only 7 exchanges in the last hour: too few to judge."),
    ("one", facts(good=1), Evidence(), "Only 1 exchange in the last hour: too few to judge."),
    ("only excluded", facts(excluded=30), Evidence(),
     "None of 30 exchanges in the last hour counts for an objective."),
    ("only shed", facts(shed=30), Evidence(),
     "30 exchanges passed in the last hour, and none could be recorded."),
    ("slow", facts(good=1_000, above={800: 120}), Evidence(),
     "12 % of answers took longer than 800 ms in the last hour; 5 % may."),
    ("paused", facts(paused=True), Evidence(),
     "This integration is paused: nothing is let through."),
]  # fmt: skip


@pytest.mark.parametrize(
    ("given_facts", "evidence", "expected"),
    [case[1:] for case in SENTENCES],
    ids=[case[0] for case in SENTENCES],
)
def test_the_page_opens_with_a_sentence(given_facts, evidence, expected):
    assessment = assess(given_facts, BOTH)
    assert plain(sentence(assessment, given_facts, BOTH, evidence, HOUR_US)) == expected


@pytest.mark.parametrize(
    ("length_us", "to_now", "expected"),
    [
        (HOUR_US, True, "in the last hour"),
        (15 * MINUTE_US, True, "in the last 15 minutes"),
        (30 * DAY_US, True, "in the last 30 days"),
        (30 * DAY_US, False, "in those 30 days"),
        (DAY_US, True, "in the last 24 hours"),
        (HOUR_US, False, "in that hour"),
        (90 * MINUTE_US, True, "in the last 90 minutes"),
    ],
)
def test_a_period_is_said_in_its_largest_whole_unit(length_us, to_now, expected):
    assert period(length_us, to_now=to_now) == expected


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [
        (0, "0 %"), (0.084, "8.4 %"), (0.005, "0.5 %"), (0.0005, "0.05 %"),
        (0.00001, "under 0.01 %"),
        (0.12, "12 %"), (0.5, "50 %"), (0.9999, "over 99 %"), (1, "100 %"), (0.1, "10 %"),
    ],
)  # fmt: skip
def test_percents_never_round_to_nothing_or_to_all(ratio, expected):
    assert plain(percent(ratio)) == expected


@pytest.mark.parametrize(
    ("by_fault", "expected"),
    [
        ({}, "fault unknown"),
        ({"partner": 3}, "partner"),
        ({"partner": 9, "network": 1}, "mostly partner"),
        ({"partner": 3, "network": 2, "platform": 1}, "partner, network and platform"),
    ],
)
def test_faults_are_named_most_first(by_fault, expected):
    assert faults_in_words(by_fault) == expected


@pytest.mark.parametrize(
    ("bad", "total", "low", "high"),
    [
        # Newcombe 1998, table I, method 3 (score without continuity correction)
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_is_wilsons(bad, total, low, high):
    assert wilson(bad, total) == pytest.approx((low, high), abs=5e-5)


def test_an_interval_of_nothing_is_none():
    assert wilson(0, 0) is None


@given(st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_ratio_and_stays_between_0_and_1(pair):
    bad, total = pair
    low, high = wilson(bad, total)
    assert 0 <= low <= bad / total <= high <= 1


counts = st.integers(0, 10**6)


@given(counts, counts, counts, counts, st.booleans())
def test_every_combination_of_counts_has_one_status_and_a_sentence(good, bad, excluded, shed, dead):
    some = Facts(
        good=good, bad=bad, excluded=excluded, shed=shed,
        answered=0 if dead and good == 0 else good + bad,
        bad_by_fault={"partner": bad} if bad else {},
        excluded_by_fault={"customer": excluded} if excluded else {}, timed=good + bad,
    )  # fmt: skip
    found = assess(some, BOTH)
    assert (found.status is Status.IDLE) == (good + bad + excluded + shed == 0)
    if found.status is Status.SILENT:
        assert some.answered == 0
        assert some.good + some.bad >= MIN_EVENTS
    assert sentence(found, some, BOTH, Evidence(), HOUR_US).endswith(".")


def test_more_bad_exchanges_never_look_better():
    order = [RANK[assess(facts(good=1_000, bad=bad), BOTH).status] for bad in range(0, 500, 5)]
    assert order == sorted(order, reverse=True)


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (1, "minute"),
        (15, "15 minutes"),
        (60, "hour"),
        (90, "90 minutes"),
        (24 * 60, "24 hours"),
        (25 * 60, "25 hours"),
        (7 * 24 * 60 + 21, "7 days"),  # a start that was moved to the hour
        (30 * 24 * 60, "30 days"),
    ],
)
def test_a_span_is_said_in_the_coarsest_unit_that_is_right(minutes: int, words: str) -> None:
    assert span(minutes * MINUTE_US) == words
