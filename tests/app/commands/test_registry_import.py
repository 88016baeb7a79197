"""Importing and exporting the registry, on both databases."""

import threading
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from app import db
from app.commands import registry_export, registry_file, registry_import, revision, routing
from app.commands.registry_changes import Change, diff
from app.commands.registry_values import (
    IntegrationEntry,
    ObjectiveEntry,
    PartnerEntry,
    RampEntry,
    RegistryFile,
)
from app.domain.route import Breaker, CapturePolicy, Limits, Timeouts, TlsFiles
from app.models import AuditEntry, InboundToken, Integration, Operation, Partner, RegistryState
from tests.app.commands.registry_strategies import registry_files

T1, T2 = "1" * 64, "2" * 64
ISSUES = IntegrationEntry(
    "issues", "Issues", inbound_token_sha256=(T1,), operations=("GET /a", "GET /b"),
    objectives=(ObjectiveEntry("availability", 0.995, 2_419_200_000_000),),
    funnel=("started", "activated"),
)  # fmt: skip
CHAT = IntegrationEntry("chat", "Chat", inbound_token_sha256=(T2,))
GLOBEX = PartnerEntry("globex", "Globex", ("a@globex.example",), (CHAT, ISSUES))
INITECH = PartnerEntry("initech", "Initech")
FILE = RegistryFile("Acme", "http://127.0.0.1:9000", (GLOBEX, INITECH))


def apply(engine: Engine, file: RegistryFile, now_us: int = 1) -> list[Change]:
    with db.transaction(engine) as session:
        return registry_import.apply(session, file, now_us=now_us, actor="test")


def loaded(engine: Engine) -> RegistryFile | None:
    with db.reading(engine) as session:
        return registry_export.load(session)


def state(engine: Engine) -> tuple[int, int]:
    with db.reading(engine) as session:
        row = session.get_one(RegistryState, 1)
        return row.revision, row.changed_us


def of(*integrations: IntegrationEntry, **given: object) -> RegistryFile:
    return replace(FILE, partners=(replace(GLOBEX, integrations=integrations, **given),))


def test_before_the_first_import_there_is_nothing(engine: Engine) -> None:
    assert loaded(engine) is None
    assert state(engine) == (0, 0)


def test_an_import_is_kept_whole_and_raises_the_revision_once(engine: Engine) -> None:
    changes = apply(engine, FILE, now_us=7)
    assert [(each.verb, each.thing, each.slug) for each in changes] == [
        ("added", "platform", "Acme"), ("added", "partner", "globex"),
        ("added", "partner", "initech"), ("added", "integration", "chat"),
        ("added", "integration", "issues"),
    ]  # fmt: skip
    assert loaded(engine) == FILE
    assert state(engine) == (1, 7)


def test_importing_the_same_again_changes_nothing(engine: Engine) -> None:
    apply(engine, FILE, now_us=7)
    assert apply(engine, FILE, now_us=8) == []
    assert state(engine) == (1, 7)


CHANGED = [
    (replace(FILE, platform_name="Acme 2"), ["changed  platform Acme 2: name"]),
    (replace(FILE, platform_api_base_url=None), ["changed  platform Acme: api_base_url"]),
    (replace(FILE, partners=(replace(GLOBEX, name="G"), INITECH)),
     ["changed  partner globex: name"]),
    (replace(FILE, partners=(replace(GLOBEX, contacts=()), INITECH)),
     ["changed  partner globex: contacts"]),
    (replace(FILE, partners=(GLOBEX,)), ["removed  partner initech"]),
    (replace(FILE, partners=(replace(GLOBEX, integrations=(CHAT,)), INITECH)),
     ["removed  integration issues"]),
    (replace(FILE, partners=(replace(GLOBEX, integrations=(CHAT,)),
                             replace(INITECH, integrations=(ISSUES,)))),
     ["changed  integration issues: partner"]),
    (replace(FILE, partners=(
        replace(GLOBEX, integrations=(CHAT, replace(ISSUES, timeouts=Timeouts(5), funnel=()))),
        INITECH)), ["changed  integration issues: timeouts, funnel"]),
    (replace(FILE, partners=(
        replace(GLOBEX, integrations=(CHAT, replace(ISSUES, operations=("GET /b", "GET /a")))),
        INITECH)), ["changed  integration issues: operations"]),
    (replace(FILE, partners=(
        replace(GLOBEX, integrations=(CHAT, replace(
            ISSUES, limits=Limits(queue=1), ramp=RampEntry(1, 2, 3), breaker=None, paused=True,
            capture=CapturePolicy.NONE, tls=TlsFiles("/a"), installations_url="http://a"))),
        INITECH)),
     ["changed  integration issues: "
      "limits, ramp, breaker, paused, capture, tls, installations_url"]),
    (replace(FILE, partners=(
        replace(GLOBEX, integrations=(CHAT, replace(ISSUES, breaker=Breaker(probes=9)))),
        INITECH)), ["changed  integration issues: breaker"]),
    (replace(FILE, partners=()), ["removed  partner globex", "removed  partner initech",
                                  "removed  integration chat", "removed  integration issues"]),
]  # fmt: skip


@pytest.mark.parametrize(("wanted", "said"), CHANGED, ids=[said[0] for _, said in CHANGED])
def test_what_changed_is_said_and_kept(
    wanted: RegistryFile, said: list[str], engine: Engine
) -> None:
    apply(engine, FILE)
    assert [str(change) for change in apply(engine, wanted)] == said
    assert loaded(engine) == wanted
    assert state(engine)[0] == 2


def test_what_is_removed_keeps_its_row_and_loses_its_tokens(engine: Engine) -> None:
    apply(engine, FILE, now_us=1)
    apply(engine, of(CHAT), now_us=5)
    with db.reading(engine) as session:
        issues = session.scalars(select(Integration).where(Integration.slug == "issues")).one()
        initech = session.scalars(select(Partner).where(Partner.slug == "initech")).one()
        assert (issues.created_us, issues.removed_us, initech.removed_us) == (1, 5, 5)
        assert session.scalars(select(InboundToken.sha256)).all() == [T2]
        table = routing.build_table(session)
    assert [route.integration for route in table.routes] == ["chat"]


def test_what_comes_back_is_the_same_row_again(engine: Engine) -> None:
    apply(engine, FILE, now_us=1)
    apply(engine, of(), now_us=2)
    apply(engine, FILE, now_us=3)
    assert loaded(engine) == FILE
    with db.reading(engine) as session:
        rows = session.scalars(select(Integration).order_by(Integration.slug)).all()
    assert [(row.slug, row.created_us, row.removed_us) for row in rows] == [
        ("chat", 1, None),
        ("issues", 1, None),
    ]


def begun_us(engine: Engine) -> int | None:
    with db.reading(engine) as session:
        (route,) = routing.build_table(session).routes
        return route.ramp.begun_us if route.ramp else None


def test_a_ramp_begins_when_the_registry_first_sees_it_and_goes_on_through_other_changes(
    engine: Engine,
) -> None:
    ramp = RampEntry(5, 200, 60)
    apply(engine, of(CHAT), now_us=10)
    assert begun_us(engine) is None
    apply(engine, of(replace(CHAT, ramp=ramp)), now_us=20)
    apply(engine, of(replace(CHAT, ramp=ramp)), now_us=30)
    apply(engine, of(replace(CHAT, ramp=ramp, paused=True)), now_us=40)
    assert begun_us(engine) == 20


def test_another_ramp_begins_anew_or_where_the_file_says(engine: Engine) -> None:
    apply(engine, of(replace(CHAT, ramp=RampEntry(5, 200, 60))), now_us=20)
    apply(engine, of(replace(CHAT, ramp=RampEntry(5, 300, 60))), now_us=30)
    assert begun_us(engine) == 30
    apply(engine, of(replace(CHAT, ramp=RampEntry(5, 300, 60, since_us=7))), now_us=40)
    assert begun_us(engine) == 7
    apply(engine, of(CHAT), now_us=50)
    assert begun_us(engine) is None
    apply(engine, of(replace(CHAT, ramp=RampEntry(5, 300, 60))), now_us=60)
    assert begun_us(engine) == 60


def test_tokens_may_change_places_in_one_import(engine: Engine) -> None:
    apply(engine, FILE)
    swapped = of(
        replace(CHAT, inbound_token_sha256=(T1,)), replace(ISSUES, inbound_token_sha256=(T2,))
    )
    apply(engine, swapped)
    assert loaded(engine) == swapped


def test_the_token_of_what_is_removed_may_go_to_another_at_once(engine: Engine) -> None:
    apply(engine, FILE)
    wanted = of(replace(CHAT, inbound_token_sha256=(T1, T2)))
    apply(engine, wanted)
    assert loaded(engine) == wanted


def test_every_change_is_in_the_audit_log_with_its_actor(engine: Engine) -> None:
    apply(engine, FILE, now_us=1)
    apply(engine, replace(FILE, partners=(replace(GLOBEX, name="G"), INITECH)), now_us=2)
    with db.reading(engine) as session:
        rows = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert len(rows) == 6
    last = rows[-1]
    assert (last.at_us, last.actor, last.action, last.subject, last.detail) == (
        2, "test", "partner.changed", "globex", "name",
    )  # fmt: skip


def test_an_import_that_fails_at_its_end_leaves_nothing_behind(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply(engine, FILE)

    def fail(*_given: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(revision, "bump", fail)
    with pytest.raises(ZeroDivisionError):
        apply(engine, of())
    assert loaded(engine) == FILE
    assert state(engine)[0] == 1


def test_imports_at_the_same_time_come_one_after_the_other(engine: Engine) -> None:
    apply(engine, RegistryFile("Acme"))
    files = [replace(FILE, platform_name=name) for name in ("one", "two", "three")]
    failures: list[Exception] = []

    def run(file: RegistryFile) -> None:
        try:
            apply(engine, file)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(file,)) for file in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert loaded(engine) in files
    assert state(engine)[0] == 4


def test_a_file_that_differs_only_in_order_is_the_same(engine: Engine) -> None:
    text = registry_export.render(FILE)
    apply(engine, registry_file.parse(text.encode(), "r"))
    turned = replace(FILE, partners=(INITECH, replace(GLOBEX, integrations=(ISSUES, CHAT))))
    assert apply(engine, registry_file.parse(registry_export.render(turned).encode(), "r")) == []


def test_lists_are_replaced_and_not_piled_up(engine: Engine) -> None:
    apply(engine, FILE)
    apply(engine, of(replace(ISSUES, operations=("GET /c",))))
    with db.reading(engine) as session:
        kept = session.execute(
            select(Operation.template).join(
                Integration, Integration.id == Operation.integration_id
            ).where(Integration.slug == "issues")
        ).scalars().all()  # fmt: skip
    assert kept == ["GET /c"]


@given(registry_files(), registry_files())
@settings(max_examples=30, deadline=None)
def test_there_is_a_difference_exactly_when_files_differ(
    before: RegistryFile, after: RegistryFile
) -> None:
    assert diff(before, before) == []
    assert bool(diff(before, after)) == (before != after)


@given(st.lists(registry_files(), min_size=1, max_size=3))
@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_after_any_imports_the_export_is_the_last_file_and_importing_it_changes_nothing(
    engine: Engine, files: list[RegistryFile]
) -> None:
    for file in files:
        apply(engine, file)
    exported = loaded(engine)
    assert exported == files[-1]
    before = state(engine)
    again = registry_file.parse(registry_export.render(exported).encode(), "r.yaml")
    assert apply(engine, again) == []
    assert state(engine) == before


@pytest.mark.parametrize(
    ("length_us", "said"),
    [(86_400_000_000, "1d"), (3_600_000_000 * 36, "36h"), (90_000_000, "90s"),
     (60_000_000, "1m")],
)  # fmt: skip
def test_a_duration_is_written_in_its_largest_whole_unit(length_us: int, said: str) -> None:
    assert registry_export.format_duration(length_us) == said
