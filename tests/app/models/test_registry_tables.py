"""The constraints that the registry's tables keep by themselves, on both databases."""

import time

import pytest
from sqlalchemy import BigInteger, Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import configure_mappers

from app.db import transaction
from app.domain.funnel import InstallationState
from app.domain.route import CapturePolicy
from app.domain.scope import Role
from app.models import (
    ApiToken,
    AuditEntry,
    Base,
    FunnelDeadline,
    InboundToken,
    InferenceRule,
    Installation,
    Integration,
    LifecycleCursor,
    LifecycleEvent,
    LoginSession,
    Objective,
    Partner,
    Platform,
    RegistryState,
    User,
    Visibility,
    WireRules,
)

COLUMNS = [column for table in Base.metadata.sorted_tables for column in table.columns]


def partner(**given: object) -> Partner:
    return Partner(**{"slug": "globex", "name": "G", "created_us": 1, "updated_us": 1, **given})


def integration(**given: object) -> Integration:
    defaults = {
        "partner_id": 1, "slug": "issues", "name": "I", "visibility": Visibility.PUBLIC,
        "allow_private_addresses": False, "connect_ms": 1, "first_byte_ms": 1, "idle_ms": 1,
        "total_ms": 1, "body_bytes": 1, "created_us": 1, "updated_us": 1,
    }  # fmt: skip
    return Integration(**{**defaults, **given})


def installation(**given: object) -> Installation:
    defaults = {"integration_id": 1, "external_id": "i", "state": InstallationState.ACTIVE,
                "last_us": 1, "created_us": 1, "updated_us": 1, "facts": b""}  # fmt: skip
    return Installation(**{**defaults, **given})


def event(**given: object) -> LifecycleEvent:
    defaults = {"integration_id": 1, "event_id": "e", "installation": "i", "step": "started",
                "occurred_us": 1, "received_us": 1}  # fmt: skip
    return LifecycleEvent(**{**defaults, **given})


def wire_rules(**given: object) -> WireRules:
    defaults = {"integration_id": 1, "queue": 0, "queue_ms": 1, "paused": False,
                "capture": CapturePolicy.NONE}  # fmt: skip
    return WireRules(**{**defaults, **given})


BREAKER = {"breaker_error_ratio": 1.0, "breaker_minimum": 1, "breaker_window_us": 1,
           "breaker_open_us": 1, "breaker_probes": 1}  # fmt: skip
RAMP = {"ramp_from": 1.0, "ramp_to": 2.0, "ramp_over_us": 1, "ramp_begun_us": 1}


def test_every_column_says_what_it_is() -> None:
    assert [str(column) for column in COLUMNS if not column.comment] == []


def test_every_time_is_whole_microseconds_in_64_bits() -> None:
    times = [column for column in COLUMNS if column.name.endswith("_us")]
    assert times
    assert [str(each) for each in times if not isinstance(each.type, BigInteger)] == []


def test_every_constraint_has_a_name_of_the_convention() -> None:
    configure_mappers()
    prefixes = ("pk_", "fk_", "uq_", "ck_")
    for table in Base.metadata.sorted_tables:
        for constraint in table.constraints:
            assert str(constraint.name).startswith(prefixes), (table.name, constraint)


@pytest.fixture
def filled(engine: Engine) -> Engine:
    with transaction(engine) as session:
        session.add(partner(id=1))
        session.flush()
        session.add_all([integration(id=1), integration(id=2, slug="chat")])
        session.flush()
        session.add(wire_rules(integration_id=2, **BREAKER, **RAMP))
        session.add_all([installation(external_id="taken"), event()])
        session.add(User(id=1, email="a@b.example", password_hash="x", role=Role.ADMIN,
                         created_us=1))  # fmt: skip
        session.add(ApiToken(name="ci", sha256="a" * 64, role=Role.ADMIN, created_us=1))
        session.add(AuditEntry(at_us=1, actor="t", action="x.y", subject="z"))
    return engine


REFUSED = [
    ("a second platform", lambda: Platform(id=2, name="x")),
    ("a second state", lambda: RegistryState(id=2, changed_us=1)),
    ("a partner's slug again", partner),
    ("an integration's slug again", integration),
    ("an integration of no partner", lambda: integration(slug="x", partner_id=9)),
    ("a timeout of nothing", lambda: integration(slug="x", total_ms=0)),
    ("a limit below nothing", lambda: integration(slug="x", burst=-1)),
    ("rules for no integration", lambda: wire_rules(integration_id=9)),
    ("a queue below nothing", lambda: wire_rules(queue=-1)),
    *((f"a breaker without {name}", lambda name=name: wire_rules(**{**BREAKER, name: None}))
      for name in BREAKER),
    ("a ratio above one", lambda: wire_rules(**{**BREAKER, "breaker_error_ratio": 1.1})),
    *((f"a ramp without {name}", lambda name=name: wire_rules(**{**RAMP, name: None}))
      for name in RAMP),
    ("a ramp that goes down", lambda: wire_rules(**{**RAMP, "ramp_to": 0.5})),
    ("a beginning of no ramp", lambda: wire_rules(ramp_since_us=1)),
    ("a key without certificate", lambda: wire_rules(client_key_file="/k")),
    ("a target of one", lambda: Objective(integration_id=1, position=0, name="a", target=1.0,
                                          window_us=1)),
    ("a digest too short", lambda: InboundToken(integration_id=1, sha256="abc")),
    ("a session id that is no digest", lambda: LoginSession(
        id_sha256="x", user_id=1, created_us=1, last_seen_us=1, expires_us=2)),
    ("an address in capitals", lambda: User(email="A@B.example", password_hash="x",
                                            role=Role.ADMIN, created_us=1)),
    ("an address again", lambda: User(email="a@b.example", password_hash="x", role=Role.ADMIN,
                                      created_us=1)),
    ("a partner's token without partner", lambda: ApiToken(
        name="x", sha256="b" * 64, role=Role.PARTNER, created_us=1)),
    ("an admin's token with one", lambda: ApiToken(
        name="x", sha256="b" * 64, role=Role.ADMIN, partner_id=1, created_us=1)),
    ("a name in use", lambda: ApiToken(name="ci", sha256="b" * 64, role=Role.ADMIN, created_us=1)),
    ("an installation of no integration", lambda: installation(integration_id=9)),
    ("the same installation again", lambda: installation(external_id="taken")),
    ("an event again", event),
    ("a rule that fits everything", lambda: InferenceRule(
        integration_id=1, position=0, status_from=200, status_to=299, step="x")),
    ("a deadline of nothing", lambda: FunnelDeadline(
        integration_id=1, step="x", deadline_us=0)),
    ("a second cursor", lambda: LifecycleCursor(id=2, exchange=b"", folded_us=0)),
]  # fmt: skip


@pytest.mark.parametrize("make", [make for _, make in REFUSED], ids=[name for name, _ in REFUSED])
def test_the_database_refuses(make, filled: Engine) -> None:
    with pytest.raises(IntegrityError), transaction(filled) as session:
        session.add(make())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE integrations SET visibility = 'secret'",
        "UPDATE wire_rules SET capture = 'all'",
        "UPDATE users SET role = 'root'",
        "UPDATE api_tokens SET role = 'root'",
    ],
)
def test_the_database_refuses_words_outside_the_vocabulary(statement: str, filled: Engine) -> None:
    with pytest.raises(IntegrityError), transaction(filled) as session:
        session.execute(text(statement))


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_log SET actor = 'me'", "DELETE FROM audit_log"]
)
def test_the_audit_log_takes_new_rows_only(statement: str, filled: Engine) -> None:
    with transaction(filled) as session:
        session.add(AuditEntry(at_us=time.time_ns() // 1000, actor="a", action="b", subject="c"))
    with pytest.raises(DBAPIError, match="takes new rows only"), transaction(filled) as session:
        session.execute(text(statement))


def test_the_audit_log_gives_up_rows_that_are_old(filled: Engine) -> None:
    with transaction(filled) as session:
        session.execute(text("DELETE FROM audit_log WHERE at_us < 1000"))
        assert session.scalar(text("SELECT count(*) FROM audit_log")) == 0


def test_the_name_of_a_revoked_token_is_free_again(filled: Engine) -> None:
    with transaction(filled) as session:
        session.execute(text("UPDATE api_tokens SET revoked_us = 5"))
        session.add(ApiToken(name="ci", sha256="b" * 64, role=Role.ADMIN, created_us=6))
        valid = text("SELECT count(*) FROM api_tokens WHERE name = 'ci' AND revoked_us IS NULL")
        assert session.scalar(valid) == 1


def test_a_row_says_which_it_is() -> None:
    assert repr(partner(id=3)) == "<Partner id=3>"
