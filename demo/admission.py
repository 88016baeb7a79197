"""Letting the demo's people in: log-ins and a token, added when they are not there yet."""

from sqlalchemy import Engine

from app.commands.tokens import add_token
from app.commands.users import add_user, list_users
from app.db import reading, transaction
from app.domain.scope import Role
from app.migrations import open_registry
from app.settings import Settings
from demo.ground import Ground, write_whole
from demo.people import PEOPLE, TOKEN_FILE, Person

_ACTOR = "demo"


def admit(settings: Settings, ground: Ground, now_us: int) -> None:
    """Add what is missing; a kept home has it all."""
    engine = open_registry(settings)
    try:
        with reading(engine) as session:
            known = {user.email for user in list_users(session)}
        for person in PEOPLE:
            if person.email not in known:
                _add(engine, person, ground.passwords[person.email], now_us)
        if not (settings.home / TOKEN_FILE).exists():
            write_whole(settings.home / TOKEN_FILE, _token(engine, now_us))
    finally:
        engine.dispose()


def _add(engine: Engine, person: Person, password: str, now_us: int) -> None:
    partners = (person.partner,) if person.partner else ()
    with transaction(engine) as session:
        add_user(
            session, email=person.email, role=person.role, password=password, partners=partners,
            now_us=now_us, actor=_ACTOR,
        )  # fmt: skip


def _token(engine: Engine, now_us: int) -> str:
    with transaction(engine) as session:
        return add_token(
            session, name="demo", role=Role.ECOSYSTEM, partner=None, now_us=now_us, actor=_ACTOR
        )
