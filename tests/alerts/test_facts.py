"""What rules ask beside counts of exchanges, from real databases to an alert."""

from dataclasses import replace

import pytest

from alerts.engine import Engine
from alerts.evaluate import evaluate
from alerts.measures import Measures
from alerts.trial import trial
from app.commands.error_groups import Seen, Wish, decide
from app.commands.lifecycle import record
from app.commands.reconcile import reconcile
from app.commands.rule_file import parse
from app.commands.rules import rule_of
from app.db import transaction
from app.domain.alert import Finding
from app.domain.error_group import Handling
from app.domain.window import DAY_US, HOUR_US, MINUTE_US
from app.store.open import open_store
from app.store.port import Batch
from tests.alerts.test_engine import loader_says, open_alerts, pass_minutes, traffic
from tests.app.billing_worlds import post, started
from tests.app.error_worlds import failing, id_of
from tests.app.lifecycle_worlds import event
from tests.app.web_world import SLUGS, World
from tests.app.witness_worlds import WRONG, settle
from tests.contract.worlds import NOW_US, exchange, failure

GLOBEX = SLUGS[0]


@pytest.fixture
def engine(world: World) -> Engine:
    loader_says(world)
    return Engine(world.reading, world.settings.home, "midspan.example")


def stands(world: World, *rules: str) -> None:
    folder = world.settings.home / "rules"
    folder.mkdir(exist_ok=True)
    (folder / "own.yaml").write_text("rules:\n" + "".join(f"  - {{{each}}}\n" for each in rules))


def firing(world: World, rule: str) -> set[str | None]:
    return {name for known, name, state in open_alerts(world) if (known, state) == (rule, "firing")}


def test_calls_by_the_partner_itself_use_nothing_of_its_circuit(world, engine):
    stands(world, "name: near, kind: circuit_near, used_ratio: 0.7, severity: P4")
    at_us = world.clock.now_us - 2 * MINUTE_US
    calls = [exchange(at_us + n, integration=GLOBEX, direction=1) for n in range(200)]
    world.load(calls + [exchange(at_us + n, integration=GLOBEX) for n in range(60)])
    traffic(world, GLOBEX, 0, 40)
    engine.round()
    assert firing(world, "near") == {GLOBEX}
    traffic(world, SLUGS[1], 66, 34)
    pass_minutes(world, 1)
    engine.round()
    assert firing(world, "near") == {GLOBEX}


def test_an_error_that_was_resolved_and_is_back_is_told_and_not_while_it_stays_resolved(
    world, engine
):
    stands(world, "name: back, kind: error_group, standings: [regressed], minimum: 5")
    seen = failing(world.clock.now_us - MINUTE_US, 9)
    world.store.append(Batch(errors=[seen]))
    group = Seen(int(id_of(seen), 16), GLOBEX, seen.first_us, seen.last_us, 9)
    with transaction(world.engine) as session:
        decide(session, group, Wish(Handling.RESOLVED), now_us=world.clock.now_us, actor="user:x")
    engine.round()
    assert firing(world, "back") == set()
    pass_minutes(world, 2)
    world.store.append(Batch(errors=[failing(world.clock.now_us - MINUTE_US, 1)]))
    engine.round()
    assert firing(world, "back") == {GLOBEX}


def test_installations_that_do_not_fit_are_told(world, engine):
    stands(world, "name: odd, kind: reconciliation, findings: [uninstalled_still_calling]")
    settle(world.engine, world.store, GLOBEX, [(f"i-{n}", life) for n, life in enumerate(WRONG)])
    reconcile(world.engine, world.store, NOW_US)
    pass_minutes(world, 1)
    engine.round()
    assert firing(world, "odd") == {GLOBEX}


def test_revenue_at_risk_is_told_above_its_limit(world, engine):
    stands(world, "name: money, kind: revenue_at_risk, above: 49, currency: USD",
           "name: less, kind: revenue_at_risk, above: 48.99, currency: USD")  # fmt: skip
    assert post(world, [started(0)]).json["rejected"] == []
    at_us = world.clock.now_us - HOUR_US
    world.load([failure(at_us + n, integration=GLOBEX) for n in range(40)])
    engine.round()
    assert (firing(world, "money"), firing(world, "less")) == (set(), {GLOBEX})


def installs(number: int, activated: int, days_ago: float, name: str) -> list[dict]:
    at_us = NOW_US - int(days_ago * DAY_US)
    begun = [event("started", at_us, installation=f"{name}-{n}") for n in range(number)]
    done = [event("activated", at_us + HOUR_US, installation=f"{name}-{n}")
            for n in range(activated)]  # fmt: skip
    return begun + done


def test_a_funnel_that_dropped_is_told_and_a_rule_tried_on_the_past_knows_since_when(world, engine):
    stands(world, "name: drop, kind: funnel_drop, window: 3d")
    events = installs(60, 45, 12, "usual") + installs(60, 6, 2, "now")
    with transaction(world.engine) as session:
        assert record(session, events, now_us=world.clock.now_us).rejected == ()
    engine.round()
    assert firing(world, "drop") == {GLOBEX}
    rule = rule_of("name: drop, kind: funnel_drop, window: 3d".replace(", ", "\n"))
    times_us = range(NOW_US - 3 * DAY_US, NOW_US, 2 * HOUR_US)
    told = list(trial(Measures(world.reading, world.settings.home), [rule], times_us))
    assert [each.change.event.value for each in told] == ["fired"]
    assert 0 <= told[0].at_us - (NOW_US - DAY_US) <= 2 * HOUR_US


def test_what_cannot_be_read_is_an_error_of_its_rule_alone(world):
    rules = parse(
        b"rules:\n  - {name: odd, kind: reconciliation}\n  - {name: new, kind: error_group}\n", "x"
    ).rules
    path = world.settings.home / "metrics.db"
    store = open_store(f"sqlite:///{path}", read_only=True)
    path.rename(path.with_suffix(".away"))
    store.close()
    measures = Measures(replace(world.reading, store=store), world.settings.home)
    found = measures.see(rules, NOW_US, {})
    assert set(found.facts) == {rules[0].condition}
    verdicts = {each.rule.name: each.verdict for each in evaluate(rules, found).evaluations}
    assert (verdicts["odd"].finding, verdicts["new"].finding) == (Finding.FALSE, Finding.ERROR)
    path.with_suffix(".away").rename(path)
