"""Taking in lifecycle events, on both databases."""

import random
import threading
from dataclasses import replace

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from app.commands import registry_export, registry_import
from app.commands.lifecycle import Rejection
from app.db import reading, registry_engine, transaction
from app.domain.window import DAY_US, HOUR_US, MINUTE_US
from app.models import FunnelDay, LifecycleEvent, Platform
from tests.app.lifecycle_worlds import add_integrations, event, installations, rfc, tell
from tests.app.web_world import SLUGS
from tests.contract.worlds import NOW_US

STEPS = ("started", "redirected", "authorized", "verified", "activated")


@pytest.fixture
def engine(engine):
    add_integrations(engine, *SLUGS)
    return engine


def way(installation: str, *steps: str, at_us: int = NOW_US - 9 * HOUR_US, **more) -> list[dict]:
    return [
        event(step, at_us + number * MINUTE_US, installation=installation, **more)
        for number, step in enumerate(steps)
    ]


def test_an_install_is_followed_from_step_to_step(engine):
    events = way("inst-7", *STEPS)
    assert tell(engine, *events[:2]).accepted == 2
    row = installations(engine)["inst-7"]
    assert (row.state, row.next_step, row.customer) == ("installing", "authorized", "cust-1")
    assert (row.plan, row.source, row.lost_cause) == ("pro", "directory", None)
    assert row.entered_us == NOW_US - 9 * HOUR_US
    assert row.due_us == row.entered_us + MINUTE_US + 24 * HOUR_US
    tell(engine, *events[2:])
    row = installations(engine)["inst-7"]
    assert (row.state, row.next_step, row.due_us) == ("active", None, None)
    assert row.activated_us == row.entered_us + 4 * MINUTE_US


def test_events_sent_again_are_counted_and_change_nothing(engine):
    events = way("inst-7", *STEPS)
    first, again = tell(engine, *events), tell(engine, *events, events[0])
    assert (first.accepted, first.duplicates) == (5, 0)
    assert (again.accepted, again.duplicates) == (0, 6)
    with reading(engine) as session:
        assert session.scalar(select(func.count()).select_from(LifecycleEvent)) == 5


def test_of_two_events_with_one_id_the_first_is_kept_whatever_the_other_says(engine):
    first = event("started", id="same")
    other = event("uninstalled", id="same")
    assert tell(engine, first, other).duplicates == 1
    assert tell(engine, other).duplicates == 1
    assert installations(engine)["inst-1"].state == "installing"
    assert tell(engine, {**other, "integration": SLUGS[1]}).accepted == 1, (
        "ids are an integration's own"
    )


def test_a_clash_that_is_not_of_ids_is_a_fault_and_no_duplicate(postgres_registries):
    """As in a database that was copied without where its numbers had come to."""
    engine = registry_engine(postgres_registries.new_url())
    add_integrations(engine, *SLUGS)
    tell(engine, event("started"), event("redirected"))
    behind = "SELECT setval(pg_get_serial_sequence('lifecycle_events', 'number'), 1, false)"
    with transaction(engine) as session:
        session.execute(text(behind))
    with pytest.raises(IntegrityError):
        tell(engine, event("started", installation="inst-2"))
    assert list(installations(engine)) == ["inst-1"]
    engine.dispose()


def test_whatever_the_order_of_arrival_the_installations_are_the_same(engine):
    chance = random.Random(4)
    events = [
        each
        for number in range(30)
        for each in way(
            f"i{number}", *STEPS[: 1 + number % 5], *("declined", "uninstalled")[: number % 3]
        )
    ]
    slugs = [(slug, chance.sample(events, len(events))) for slug in SLUGS]
    for slug, shuffled in slugs:
        for start in range(0, len(shuffled), 7):
            part = [{**each, "integration": slug} for each in shuffled[start : start + 9]]
            tell(engine, *part)
    told = {}
    with reading(engine) as session:
        from app.models import Installation

        for row in session.scalars(select(Installation)):
            values = (row.external_id, row.state, row.entered_us, row.activated_us, row.next_step,
                      row.due_us, row.lost_cause, row.facts)  # fmt: skip
            told.setdefault(row.integration_id, set()).add(values)
    states = [{each[:7] for each in rows} for rows in told.values()]
    assert len(states) == 3
    assert states[0] == states[1] == states[2]
    assert len(states[0]) == 30


BAD = [
    ({"step": "verfied"}, "unknown step 'verfied': did you mean 'verified'?"),
    ({"step": "x"}, "unknown step 'x': the funnel has started, redirected, authorized"),
    ({"integration": "never"}, "unknown integration 'never'"),
    ({"occurred_at": rfc(NOW_US + 6 * MINUTE_US)}, "'occurred_at' lies more than 5m in the future"),
    ({"occurred_at": "2026-11-22T10:00:00"}, "RFC 3339 time from 1970 on with its zone"),
    ({"occurred_at": "1969-01-01T00:00:00Z"}, "RFC 3339 time from 1970 on with its zone"),
    ({"occurred_at": 5}, "'occurred_at' must be a text of 1 to 40 characters"),
    ({"id": None}, "lacks 'id'"),
    ({"id": ""}, "'id' must be a text of 1 to 200 characters"),
    ({"id": "x" * 201}, "'id' must be a text of 1 to 200 characters"),
    ({"id": "wire:1"}, "ids that begin with 'wire:' are Midspan's own"),
    ({"installation": 7}, "'installation' must be a text of 1 to 200 characters"),
    ({"plan": ["pro"]}, "'plan' must be a text of 1 to 100 characters"),
    ({"customer": "a\x00b"}, "'customer' holds a character that cannot be kept"),
    ({"customer": "\ud800"}, "'customer' holds a character that cannot be kept"),
    ({"resaon": "x"}, "unknown key 'resaon': did you mean 'reason'?"),
]


@pytest.mark.parametrize(("change", "reason"), BAD, ids=[reason for _, reason in BAD])
def test_a_bad_event_is_rejected_alone_with_what_is_wrong(engine, change, reason):
    found = tell(engine, event(), {**event(), **change}, event())
    assert found.accepted == 2
    (rejected,) = found.rejected
    assert rejected.index == 1
    assert reason in rejected.reason


@pytest.mark.parametrize("bad", [None, 5, "x", [], [[]], True, float("nan"), {}, {"id": {}}])
def test_what_is_no_event_is_rejected_alone(engine, bad):
    found = tell(engine, bad, event())
    assert (found.accepted, [each.index for each in found.rejected]) == (1, [0])


def test_an_array_of_nothing_is_taken(engine):
    assert tell(engine).accepted == 0
    assert tell(engine, {}).rejected == (Rejection(0, "lacks 'id'"),)


def test_two_at_once_about_one_installation_add_up(engine):
    events = way("inst-7", *STEPS * 8)
    threads = [threading.Thread(target=tell, args=(engine, *events[at::4])) for at in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert installations(engine)["inst-7"].state == "active"
    with reading(engine) as session:
        assert session.scalar(select(func.count()).select_from(LifecycleEvent)) == 40


def test_a_cause_that_was_found_stands_until_the_install_moves_on(engine):
    tell(engine, *way("inst-7", *STEPS[:3]))
    with transaction(engine) as session:
        row = installations(engine)["inst-7"]
        session.merge(row).lost_cause = "failed"
    tell(engine, event("suspended", installation="inst-7"))
    assert installations(engine)["inst-7"].lost_cause == "failed"
    tell(engine, event("verified", installation="inst-7"))
    assert installations(engine)["inst-7"].lost_cause is None


def test_the_days_on_which_installs_entered_are_stale(engine):
    tell(engine, *way("inst-7", "authorized"), *way("inst-8", "uninstalled"))
    tell(engine, event("started", NOW_US - 3 * DAY_US, installation="inst-7"))
    with reading(engine) as session:
        days = session.execute(select(FunnelDay.day, FunnelDay.stale).order_by(FunnelDay.day)).all()
    today = (NOW_US - 9 * HOUR_US) // DAY_US
    assert [tuple(each) for each in days] == [
        ((NOW_US - 3 * DAY_US) // DAY_US, True),
        (today, True),
    ]


def test_another_funnel_reads_the_same_facts_again(engine):
    tell(engine, *way("inst-7", *STEPS[:3]), *way("other", "started", integration=SLUGS[1]))
    with transaction(engine) as session:
        session.add(Platform(id=1, name="Acme"))
    with transaction(engine) as session:
        file = registry_export.load(session)
        (partner,) = file.partners
        shorter = [
            replace(each, funnel=("started", "authorized"),
                    funnel_deadlines=(("authorized", HOUR_US),))
            if each.slug == SLUGS[0] else each
            for each in partner.integrations
        ]  # fmt: skip
        wanted = replace(file, partners=(replace(partner, integrations=tuple(shorter)),))
        registry_import.apply(session, wanted, now_us=NOW_US, actor="t")
    rows = installations(engine)
    assert (rows["inst-7"].state, rows["inst-7"].next_step) == ("active", None)
    assert rows["other"].next_step == "redirected"
    assert tell(engine, event("verified")).rejected[0].reason.startswith("unknown step")
