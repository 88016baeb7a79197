"""Steps read off the wire, with real databases and a clock by hand."""

from collections import Counter
from collections.abc import Iterator

import pytest

from app.db import reading, transaction
from app.domain.funnel import Funnel, funnel_of
from app.domain.window import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from app.models import FunnelDay, InferenceRule, LifecycleEvent
from collectors.lifecycle.follow import SETTLE_US, Follower
from collectors.lifecycle.meaning import Reader, Rule, is_use, step_of
from tests.app.lifecycle_worlds import event, installations, integration_id, tell
from tests.app.web_world import SLUGS, World, copy_of, make_template
from tests.contract.worlds import NOW_US, exchange, failure

SLUG = SLUGS[0]


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    home = tmp_path_factory.mktemp("follow") / "home"
    return home, make_template(home)


@pytest.fixture
def world(template, tmp_path) -> Iterator[World]:
    made = World(copy_of(template[0], tmp_path / "home"), template[1])
    with transaction(made.engine) as session:
        owner = integration_id(made.engine)
        rule = {"integration_id": owner, "status_from": 200, "status_to": 299}
        session.add(InferenceRule(**rule, position=0, direction=1, operation="POST /oauth/token",
                                  step="authorized"))  # fmt: skip
        session.add(InferenceRule(**rule, position=1, topic="installation.created",
                                  step="verified"))  # fmt: skip
    made.counted = Counter()
    made.follower = Follower(
        made.store, made.settings.registry_url, lambda why: made.counted.update([why])
    )
    yield made
    made.close()


def crossed(at_us: int = NOW_US - 5 * MINUTE_US, **fields):
    return exchange(at_us, integration=SLUG, **fields)


def token(at_us: int = NOW_US - 5 * MINUTE_US, **fields):
    return crossed(at_us, direction=1, operation="POST /oauth/token", status=201, **fields)


def newest():
    """What says that all older exchanges have been loaded."""
    return exchange(NOW_US, integration=SLUG, installation="")


def follow(world) -> int:
    return world.follower.turn(world.clock())


def events(world) -> list[tuple[str, str]]:
    with reading(world.engine) as session:
        found = session.query(LifecycleEvent).order_by(LifecycleEvent.number)
        return [(each.installation, each.step) for each in found if each.event_id[:5] == "wire:"]


def test_an_exchange_that_fits_a_rule_is_a_step(world):
    world.load([token(), crossed(kind=1, topic="installation.created"), newest()])
    assert follow(world) == 2
    assert sorted(events(world)) == [("inst-1", "authorized"), ("inst-1", "verified")]
    row = installations(world.engine)["inst-1"]
    assert (row.entered_us, row.customer, row.next_step) == (
        NOW_US - 5 * MINUTE_US, "cust-1", "activated"
    )  # fmt: skip


def test_what_has_been_read_is_not_read_again(world):
    world.load([token(), newest()])
    assert [follow(world) for _ in range(3)] == [1, 0, 0]
    world.load([token(NOW_US - 2 * MINUTE_US, installation="inst-2")])
    assert follow(world) == 1
    assert len(events(world)) == 2


def test_what_is_young_is_read_once_nothing_older_can_come(world):
    young = NOW_US - 30 * SECOND_US
    world.load([token(young), newest()])
    assert follow(world) == 0
    world.clock.pass_us(SETTLE_US)
    assert follow(world) == 0, "the loader may be behind"
    world.load([exchange(NOW_US + SETTLE_US, integration=SLUG)])
    assert follow(world) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"installation": ""},
        {"direction": 0},
        {"status": 400},
        {"operation": "GET /oauth/token"},
    ],
    ids=str,
)
def test_what_fits_no_rule_means_nothing(world, other):
    world.load([token()._replace(**other), newest()])
    assert follow(world) == 0


def test_the_first_good_exchange_within_a_day_activates(world):
    begun = NOW_US - 30 * MINUTE_US
    tell(world.engine, event("started", begun), event("started", begun, installation="old"))
    world.load([
        crossed(begun - MINUTE_US), failure(begun + MINUTE_US, integration=SLUG),
        crossed(begun + 2 * MINUTE_US), crossed(begun + 3 * MINUTE_US), newest(),
    ])  # fmt: skip
    assert follow(world) == 1
    assert installations(world.engine)["inst-1"].activated_us == begun + 2 * MINUTE_US
    assert installations(world.engine)["old"].activated_us is None


def test_use_after_a_day_activates_no_more(world):
    tell(world.engine, event("started", NOW_US - DAY_US - HOUR_US))
    world.load([crossed(), newest()])
    assert follow(world) == 0


def test_an_install_that_is_told_of_after_it_was_used_is_activated(world):
    world.load([crossed(), newest()])
    assert follow(world) == 0
    tell(world.engine, event("started", NOW_US - 10 * MINUTE_US), now_us=NOW_US + SECOND_US)
    assert follow(world) == 1
    assert events(world) == [("inst-1", "activated")]
    assert follow(world) == 0


def test_days_are_counted_anew_on_the_way(world):
    tell(world.engine, event("started"))
    world.load([newest()])
    follow(world)
    with reading(world.engine) as session:
        assert [each.stale for each in session.query(FunnelDay)] == [False]


def test_with_the_registry_away_it_waits_and_goes_on(world):
    world.load([token(), newest()])
    path = world.settings.home / "registry.db"
    aside = path.with_suffix(".aside")
    world.engine.dispose()
    path.rename(aside)
    assert follow(world) == 0
    assert world.counted["lifecycle_postponed"] == 1
    aside.rename(path)
    assert follow(world) == 1


def test_the_first_rule_that_fits_decides_and_what_a_rule_means_is_no_use():
    anything = {"direction": None, "operation": None, "status_from": 200, "status_to": 299}
    rules = (Rule("verified", topic="a", **anything), Rule("authorized", topic=None, **anything))
    assert step_of(exchange(topic="a"), rules) == "verified"
    assert step_of(exchange(), rules) == "authorized"
    assert step_of(exchange(status=500), rules) is None
    assert not is_use(exchange(), Reader(Funnel(), rules))
    assert is_use(exchange(), Reader(Funnel()))
    assert not is_use(failure(), Reader(Funnel()))
    assert not is_use(exchange(), Reader(funnel_of(("signed", "paid"), {})))
