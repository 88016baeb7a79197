"""Three witnesses of every installation: what does not fit is found, and nothing else."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, update

from app.commands.reconcile import WHOLE_US, reconcile
from app.db import reading, registry_engine, transaction
from app.domain.window import DAY_US, HOUR_US, MINUTE_US
from app.models import Installation, InstallationFinding, Integration, Partner, Reconciliation
from app.store import schema
from app.store.open import open_store
from app.store.port import MetricsStore
from tests.app.web_world import integration
from tests.app.witness_worlds import CALL, CLEAN, WRONG, Life, lives, settle
from tests.contract.worlds import NOW_US

SLUG = "globex-issues"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MetricsStore]:
    url = f"sqlite:///{tmp_path}/metrics.db"
    schema.migrate(url)
    opened = open_store(url)
    yield opened
    opened.close()


def registered(engine: Engine, *slugs: str) -> None:
    with transaction(engine) as session:
        partner = Partner(slug="globex", name="Globex", created_us=0, updated_us=0)
        session.add(partner)
        session.flush()
        session.add_all(integration(partner, slug) for slug in slugs or (SLUG,))


def standing(engine: Engine) -> set[tuple[str, str]]:
    statement = select(InstallationFinding).where(InstallationFinding.closed_us.is_(None))
    with reading(engine) as session:
        return {(each.installation, each.kind) for each in session.scalars(statement)}


def finding(engine: Engine, name: str) -> InstallationFinding:
    statement = select(InstallationFinding).where(InstallationFinding.installation == name)
    with reading(engine) as session:
        return session.scalars(statement).one()


def test_two_hundred_contradictions_among_twenty_thousand_are_found_and_nothing_else(
    sqlite_registries, store: MetricsStore
) -> None:
    engine = registry_engine(sqlite_registries.new_url())
    registered(engine)
    expected = settle(engine, store, SLUG, lives(20_000, 200))
    done = reconcile(engine, store, NOW_US)
    assert len(expected) == 200
    assert {kind for _, kind in expected} == {life.kind for life in WRONG}
    assert standing(engine) == expected
    assert (done.whole, done.opened, done.closed) == (1, 200, 0)
    again = reconcile(engine, store, NOW_US + MINUTE_US)
    assert (again.whole, again.opened, again.closed) == (0, 0, 0)
    assert standing(engine) == expected
    engine.dispose()


def test_every_kind_is_found_in_both_databases(engine: Engine, store: MetricsStore) -> None:
    registered(engine, SLUG, "globex-chat")
    expected = settle(engine, store, SLUG, lives(len(CLEAN), len(WRONG)))
    settle(engine, store, "globex-chat", lives(len(CLEAN), 0))
    reconcile(engine, store, NOW_US)
    assert standing(engine) == expected
    found = finding(engine, "wrong-2")
    assert json.loads(found.evidence) == {
        "uninstalled_us": NOW_US - 9 * DAY_US, "last_call_us": NOW_US - HOUR_US - NOW_US % 1000
    }  # fmt: skip
    assert (found.since_us, found.opened_us) == (NOW_US - 9 * DAY_US, NOW_US)


def test_what_was_set_right_is_closed_the_next_time(engine: Engine, store: MetricsStore) -> None:
    registered(engine)
    settle(engine, store, SLUG, lives(len(CLEAN), len(WRONG)))
    reconcile(engine, store, NOW_US)
    later_us = NOW_US + 5 * MINUTE_US
    with transaction(engine) as session:
        session.execute(
            update(Installation)
            .where(Installation.external_id == "wrong-2")
            .values(state="active", uninstalled_us=None, updated_us=later_us)
        )
    done = reconcile(engine, store, later_us)
    assert (done.whole, done.closed) == (0, 1)
    assert finding(engine, "wrong-2").closed_us == later_us
    assert done.judged < 2 * len(WRONG) + len(CLEAN)


def test_new_traffic_alone_opens_a_finding_without_judging_the_rest(
    engine: Engine, store: MetricsStore
) -> None:
    registered(engine)
    settle(engine, store, SLUG, lives(200, 0))
    reconcile(engine, store, NOW_US)
    stranger = Life("", told=False, crossed=((CALL, 2 * HOUR_US, MINUTE_US, 5, 5),))
    settle(engine, store, SLUG, [("known", CLEAN[0]), ("stranger", stranger)])
    done = reconcile(engine, store, NOW_US + MINUTE_US)
    assert standing(engine) == {("stranger", "calling_without_install")}
    assert done.whole == 0
    assert done.judged < 60


def test_what_time_alone_makes_true_is_found_within_the_hour(
    engine: Engine, store: MetricsStore
) -> None:
    registered(engine)
    fresh = Life("", since=2 * DAY_US, crossed=CLEAN[6].crossed)
    settle(engine, store, SLUG, [("used", CLEAN[0]), ("fresh", fresh)])
    reconcile(engine, store, NOW_US)
    assert standing(engine) == set()
    reconcile(engine, store, NOW_US + DAY_US + WHOLE_US)
    assert standing(engine) == {("fresh", "acknowledged_never_called")}


def test_what_comes_back_is_a_new_finding(engine: Engine, store: MetricsStore) -> None:
    registered(engine)
    settle(engine, store, SLUG, [("wrong", WRONG[4]), ("used", CLEAN[0])])
    reconcile(engine, store, NOW_US)
    reconcile(engine, store, NOW_US + 8 * DAY_US)
    assert standing(engine) == set()
    stranger = Life("", told=False, crossed=((CALL, 2 * HOUR_US, MINUTE_US, 5, 5),))
    settle(engine, store, SLUG, [("wrong", stranger)])
    reconcile(engine, store, NOW_US, whole=True)
    statement = select(InstallationFinding.closed_us).order_by(InstallationFinding.id)
    with reading(engine) as session:
        assert list(session.scalars(statement)) == [NOW_US + 8 * DAY_US, None]


def test_a_platform_that_tells_nothing_accuses_nobody(engine: Engine, store: MetricsStore) -> None:
    registered(engine)
    strangers = [(f"s-{n}", WRONG[4]) for n in range(3)]
    settle(engine, store, SLUG, strangers)
    reconcile(engine, store, NOW_US)
    assert standing(engine) == set()
    with reading(engine) as session:
        row = session.scalars(select(Reconciliation)).one()
    assert (row.told_us, row.calls, row.installations) == (None, True, 3)


def test_only_named_integrations_are_compared(engine: Engine, store: MetricsStore) -> None:
    registered(engine, SLUG, "globex-chat")
    settle(engine, store, "globex-chat", [("wrong", WRONG[2]), ("used", CLEAN[0])])
    assert reconcile(engine, store, NOW_US, only=[SLUG]).integrations == 1
    assert standing(engine) == set()
    reconcile(engine, store, NOW_US, only=["globex-chat"])
    with reading(engine) as session:
        owner = session.scalars(
            select(Integration.slug).join(
                InstallationFinding, InstallationFinding.integration_id == Integration.id
            )
        ).one()
    assert owner == "globex-chat"
