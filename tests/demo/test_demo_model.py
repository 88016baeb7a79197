"""The model: days look like days, trouble is where it should be, one seed is one world."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.window import DAY_US, HOUR_US, MINUTE_US
from app.domain.words import Direction, Kind
from demo.cast import BY_SLUG, CAST, Episodes, Flow, Role, first_of_partner
from demo.model import Ending, Model, latency_us, load
from demo.noise import during, hashed, wave

MONDAY_US = 20_780 * DAY_US  # Monday, 23 November 2026
ANCHOR_US = MONDAY_US + 12 * HOUR_US
FLOWS = [(role, flow) for role in CAST for flow in role.flows]
moments = st.integers(MONDAY_US - 400 * DAY_US, MONDAY_US + 400 * DAY_US)


def at(*times_us: int) -> np.ndarray:
    return np.array(times_us, dtype=np.int64)


def flow_of(slug: str, kind: Kind = Kind.REQUEST) -> tuple[Role, Flow]:
    role = BY_SLUG[slug]
    for flow in role.flows:
        if (flow.direction, flow.kind) == (Direction.OUTBOUND, kind):
            return role, flow
    raise AssertionError(slug)


def test_the_cast_is_eight_partners_each_with_a_public_integration() -> None:
    assert len(first_of_partner()) == 8
    assert all(role.visibility == "public" for role in first_of_partner().values())
    assert len({role.slug for role in CAST}) == len(CAST)


def test_monday_is_a_monday() -> None:
    import datetime

    day = datetime.datetime.fromtimestamp(MONDAY_US / 1e6, datetime.UTC)
    assert (day.weekday(), day.hour) == (0, 0)


@pytest.mark.parametrize("day", range(7))
def test_night_is_below_day(day: int) -> None:
    start = MONDAY_US + day * DAY_US
    night, noon = load(at(start + 3 * HOUR_US, start + 13 * HOUR_US))
    assert night < 0.4 * noon


@pytest.mark.parametrize("hour", range(0, 24, 3))
def test_weekend_is_below_weekday(hour: int) -> None:
    hours = MONDAY_US + hour * HOUR_US + np.arange(7) * DAY_US
    by_day = load(hours)
    assert by_day[5:].max() < 0.5 * by_day[:5].min()


@pytest.mark.parametrize(("role", "flow"), FLOWS)
def test_every_flow_has_its_day(role: Role, flow: Flow) -> None:
    model = Model(7, MONDAY_US + 300 * DAY_US)
    hours = MONDAY_US + np.arange(0, DAY_US, MINUTE_US)
    rate = model.rate(role, flow, hours).reshape(24, 60).mean(axis=1)
    assert rate[2:4].mean() < 0.6 * rate[12:14].mean()


@given(moments, st.integers(0, 2**31))
def test_probabilities_are_probabilities_and_rates_are_not_negative(at_us: int, seed: int) -> None:
    model = Model(seed, ANCHOR_US)
    for role, flow in FLOWS:
        mix = model.mix(role, flow, at(at_us))
        assert (mix >= 0).all()
        assert mix.sum() == pytest.approx(1.0)
        assert model.rate(role, flow, at(at_us))[0] >= 0
        assert model.median_ms(role, flow, at(at_us))[0] > 0


@given(moments, st.integers(0, 2**31))
def test_the_model_is_a_function_of_seed_and_time(at_us: int, seed: int) -> None:
    role, flow = flow_of("umbrella-ci")
    once, twice = Model(seed, ANCHOR_US), Model(seed, ANCHOR_US)
    assert once.rate(role, flow, at(at_us)) == twice.rate(role, flow, at(at_us))
    assert (once.mix(role, flow, at(at_us)) == twice.mix(role, flow, at(at_us))).all()


def test_another_seed_is_another_world() -> None:
    role, flow = flow_of("globex-issues")
    times = MONDAY_US + np.arange(0, DAY_US, HOUR_US)
    rates = [Model(seed, ANCHOR_US).rate(role, flow, times) for seed in (1, 2)]
    assert (rates[0] != rates[1]).any()


@given(st.integers(0, 2**31), st.text(max_size=20), st.lists(st.integers(0, 2**50), min_size=1))
def test_hashed_numbers_lie_between_nought_and_one(
    seed: int, name: str, numbers: list[int]
) -> None:
    found = hashed(seed, name, np.array(numbers, dtype=np.int64))
    assert ((found >= 0) & (found < 1)).all()


def test_a_wave_has_no_jumps() -> None:
    line = wave(7, "a", np.arange(0, 3 * HOUR_US, MINUTE_US // 2), 10 * MINUTE_US)
    assert max(abs(a - b) for a, b in pairwise(line)) < 0.1


def test_episodes_last_as_long_as_they_should() -> None:
    episodes = Episodes(HOUR_US, 10 * MINUTE_US, 1.0)
    on = during(7, "x", episodes, np.arange(0, 24 * HOUR_US, MINUTE_US), ANCHOR_US)
    assert on.reshape(24, 60).sum(axis=1).tolist() == pytest.approx([10] * 24, abs=1)


def test_slow_at_peaks_is_slow_at_peaks_only() -> None:
    role, flow = flow_of("hooli-sync")
    night, noon = Model(7, ANCHOR_US).median_ms(
        role, flow, at(MONDAY_US + 3 * HOUR_US, MONDAY_US + 13 * HOUR_US)
    )
    assert noon > 4 * night


def test_flaky_is_broken_three_to_eight_percent_of_the_time_in_bursts() -> None:
    model, role = Model(7, ANCHOR_US), BY_SLUG["umbrella-ci"]
    ratio = model.broken_ratio(role, MONDAY_US - np.arange(0, 7 * DAY_US, MINUTE_US))
    quiet = ratio == role.trouble.error_ratio
    assert 0.5 < quiet.mean() < 0.9
    assert ratio[~quiet].min() >= 0.03
    assert ratio[~quiet].max() <= 0.08


def test_outages_come_now_and_then_for_ten_minutes() -> None:
    model, role = Model(7, ANCHOR_US + 300 * DAY_US), BY_SLUG["stark-board"]
    down = model.down(role, MONDAY_US + np.arange(0, 30 * DAY_US, MINUTE_US))
    begun = int((np.diff(down.astype(int)) == 1).sum())
    assert 20 < begun < 60
    assert down.sum() == pytest.approx(10 * begun, rel=0.05)


def test_a_visitor_sees_an_outage_begin_and_end() -> None:
    model, role = Model(7, ANCHOR_US), BY_SLUG["stark-board"]
    during_it = at(*(ANCHOR_US + minutes * MINUTE_US for minutes in (-45, 9, 17)))
    assert model.down(role, during_it).all()


@pytest.mark.parametrize(("slug", "what"), [("tyrell-forms", "expired"), ("wayne-alerts", "mute")])
def test_trouble_that_began_stays(slug: str, what: str) -> None:
    model, role = Model(7, ANCHOR_US), BY_SLUG[slug]
    times = ANCHOR_US + np.arange(-48, 48) * HOUR_US
    on = getattr(model, what)(role, times)
    assert not on[0]
    assert on[48:].all()
    assert (np.diff(on.astype(int)) >= 0).all()


def test_revoked_grants_stay_revoked_and_are_a_fifth() -> None:
    model, role = Model(7, ANCHOR_US), BY_SLUG["soylent-crm"]
    everyone = np.arange(role.installations)
    now = model.revoked(role, everyone, np.full(role.installations, ANCHOR_US))
    before = model.revoked(role, everyone, np.full(role.installations, ANCHOR_US - 61 * DAY_US))
    assert now.sum() == role.installations // 5
    assert not before.any()


def test_bursts_multiply_webhooks_and_nothing_else() -> None:
    model, (role, hooks) = Model(7, ANCHOR_US), flow_of("initech-chat", Kind.WEBHOOK)
    calls = flow_of("initech-chat")[1]
    quiet, burst = ANCHOR_US + 3 * MINUTE_US, ANCHOR_US + 60_000_000
    assert model.bursting(role, at(quiet, burst)).tolist() == [False, True]
    assert np.divide(*model.rate(role, hooks, at(burst, quiet))) > 5
    assert np.divide(*model.rate(role, calls, at(burst, quiet))) == pytest.approx(1, abs=0.5)
    assert model.mix(role, hooks, at(burst))[Ending.THROTTLED] > 0


def test_latencies_have_the_median_that_was_asked_for() -> None:
    chance, size = np.random.default_rng(7), 20_000
    drawn = latency_us(
        np.full(size, 100.0), np.ones(size), 0.4, chance.standard_normal(size), chance.random(size)
    )
    assert np.median(drawn) == pytest.approx(100_000, rel=0.02)
    assert np.quantile(drawn, 0.99) > 250_000
