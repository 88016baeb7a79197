"""Rules and silences of partners: who is told, and who is told all the same."""

import pytest
from sqlalchemy import select

from alerts.engine import Engine
from app.commands.alerting import add_silence, silence_incident
from app.commands.partner_rules import save_partner_text
from app.db import reading, transaction
from app.domain.window import HOUR_US
from app.models import Alert, Incident, Notification
from tests.alerts.test_engine import loader_says, open_alerts, pass_minutes, traffic
from tests.app.web_world import EVERYTHING, GLOBEX, SLUGS, World

MINE, THEIRS = SLUGS[0], SLUGS[2]
RULE = """\
name: mine
kind: threshold
measure: error_ratio
above: 0.001
window: 15m
severity: P2
to: [dev@globex.example]
"""
ECO, ONCALL, DEV = "eco@acme.example", "oncall@globex.example", "dev@globex.example"


@pytest.fixture
def engine(world: World) -> Engine:
    loader_says(world)
    return Engine(world.reading, world.settings.home, "midspan.example")


def told(world: World) -> dict[tuple[str, str], tuple[str, str]]:
    """By rule and address: what became of the word that it began."""
    statement = (
        select(Alert.rule, Notification.address, Notification.delivery, Notification.reason)
        .join(Incident, Incident.alert_id == Alert.id)
        .join(Notification, Notification.incident_id == Incident.id)
        .where(Notification.event == "fired", Alert.integration.is_not(None))
    )
    with reading(world.engine) as session:
        return {
            (row.rule, row.address): (row.delivery.value, row.reason)
            for row in session.execute(statement)
        }


def own_rule(world: World) -> None:
    save_partner_text(
        world.engine, GLOBEX, RULE, partner="globex", now_us=1, actor="user:dev@globex.example"
    )


def test_a_partners_rule_tells_whom_it_names_and_nobody_else_and_hides_nothing(world, engine):
    own_rule(world)
    traffic(world, MINE, 980, 20)
    traffic(world, THEIRS, 900, 100)
    engine.round()
    first = ("queued", "first_word")
    found = told(world)
    assert {key for key in found if key[0] == "globex/mine"} == {("globex/mine", DEV)}
    assert found["globex/mine", DEV] == first
    traffic(world, MINE, 0, 400)
    pass_minutes(world, 1)
    engine.round()
    found = told(world)
    assert found["budget-burn", ECO] == found["budget-burn", ONCALL] == first
    assert ("globex/mine", MINE, "firing") in open_alerts(world)


def test_a_silence_of_a_partner_keeps_its_own_people_quiet_and_nobody_of_the_platform(
    world, engine
):
    own_rule(world)
    silenced(world, GLOBEX)
    traffic(world, MINE, 900, 100)
    engine.round()
    assert told(world) == {
        ("budget-burn", ECO): ("queued", "first_word"),
        ("budget-burn", ONCALL): ("dropped", "silenced"),
        ("globex/mine", DEV): ("dropped", "silenced"),
    }
    pass_minutes(world, 1)
    engine.round()
    assert told(world)["budget-burn", ONCALL] == ("dropped", "silenced")
    pass_minutes(world, 60)
    traffic(world, MINE, 900, 100)
    engine.round()
    assert told(world)["budget-burn", ONCALL] == ("queued", "explained_no_more")


def test_a_silence_of_the_platform_keeps_everybody_quiet(world, engine):
    silenced(world, EVERYTHING)
    traffic(world, MINE, 900, 100)
    engine.round()
    assert set(told(world).values()) == {("dropped", "silenced")}


def silenced(world: World, scope) -> None:
    now_us = world.clock.now_us
    with transaction(world.engine) as session:
        add_silence(
            session, scope, rule=None, integration=MINE, partner=None, starts_us=now_us,
            ends_us=now_us + HOUR_US, comment="", now_us=now_us, actor="user:x",
        )  # fmt: skip


@pytest.mark.parametrize(("address", "theirs"), [(ONCALL, True), (ECO, False)])
def test_a_link_in_a_partners_mail_silences_for_the_partner_alone(world, engine, address, theirs):
    traffic(world, MINE, 900, 100)
    engine.round()
    with transaction(world.engine) as session:
        made = silence_incident(
            session, EVERYTHING, number=1, for_us=HOUR_US, now_us=world.clock.now_us,
            actor=f"mail:{address}", address=address,
        )  # fmt: skip
        assert made.partners_only == theirs
