"""One small world for tests of the reading side: real databases, a real app, a clock by hand.

Two partners. Every word that belongs to Initech holds `CANARY`, so a byte of it in an answer to
Globex is seen at once.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient

from app import settings as settings_module
from app.commands.tokens import add_token
from app.commands.users import add_user
from app.db import registry_engine, transaction
from app.domain.scope import Role, Scope
from app.domain.window import DAY_US, MINUTE_US, SECOND_US
from app.factory import create_app
from app.migrations import migrate
from app.models import Integration, Objective, Partner, PartnerContact
from app.models.integration import Visibility
from app.queries import Reading
from app.settings import Settings
from app.store.open import open_store
from app.store.port import StoredExchange
from collectors.loader.activity import activity
from tests.contract.worlds import NOW_US, batch_of, exchange, failure

CANARY = "canary-initech"
PASSWORD = "correct horse battery"
PEOPLE = {
    "admin": ("admin@acme.example", Role.ADMIN, ()),
    "ecosystem": ("eco@acme.example", Role.ECOSYSTEM, ()),
    "globex": ("dev@globex.example", Role.PARTNER, ("globex",)),
    "initech": (f"{CANARY}@initech.example", Role.PARTNER, ("initech",)),
    "builder": ("builder@customer.example", Role.INTERNAL, ("hooli-inside",)),
}
ROLES = tuple(PEOPLE)
EVERYTHING = Scope(Role.ECOSYSTEM, None)
GLOBEX = Scope(Role.PARTNER, frozenset({"globex"}))
NOBODY = Scope(Role.PARTNER, frozenset())
SLUGS = ("globex-issues", "globex-chat", "initech-crm")
INSIDE = "hooli-inside"


class Clock:
    """Stands still until it is moved."""

    def __init__(self, now_us: int = NOW_US) -> None:
        self.now_us = now_us

    def __call__(self) -> int:
        return self.now_us

    def pass_us(self, length_us: int) -> None:
        self.now_us += length_us


class World:
    """A home with its databases open, and what tests do to it."""

    def __init__(self, home: Path, tokens: dict[str, str], base_url: str = "") -> None:
        self.settings = settings_of(home, base_url)
        self.tokens = tokens
        self.clock = Clock()
        self.engine = registry_engine(self.settings.registry_url)
        self.store = open_store(self.settings.metrics_url)
        self.reading = Reading(self.engine, self.store, self.clock)
        self._app: Flask | None = None

    @property
    def app(self) -> Flask:
        if self._app is None:
            self._app = create_app(self.settings, clock=self.clock)
        return self._app

    def load(self, exchanges: Sequence[StoredExchange], **fields: object) -> None:
        exchanges = list(exchanges)
        fields.setdefault("activity", activity(exchanges))
        self.store.append(batch_of(exchanges, **fields))

    def client(self, role: str | None = None) -> FlaskClient:
        """A browser, logged in when a role of `PEOPLE` is given."""
        client = self.app.test_client()
        if role is not None:
            assert log_in(client, PEOPLE[role][0]).status_code == 303
        return client

    def bearer(self, role: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[role]}"}

    def api(self, path: str, role: str = "ecosystem", **options: object):
        headers = self.bearer(role)
        return self.app.test_client().get(f"/api/v1{path}", headers=headers, **options)

    def close(self) -> None:
        self.store.close()
        self.engine.dispose()
        if self._app is not None:
            reading = self._app.extensions["midspan"].reading
            reading.store.close()
            reading.engine.dispose()


def log_in(client: FlaskClient, email: str, password: str = PASSWORD, **more: str):
    return client.post("/login", data={"email": email, "password": password, **more})


def settings_of(home: Path, base_url: str = "") -> Settings:
    given = {"MIDSPAN_HOME": str(home)} | ({"MIDSPAN_BASE_URL": base_url} if base_url else {})
    return settings_module.load(given, env_file=Path("/nonexistent.env"))


def make_template(home: Path) -> dict[str, str]:
    """Databases with a registry, people and tokens, to be copied; the tokens by role."""
    settings = settings_of(home)
    migrate(settings)
    engine = registry_engine(settings.registry_url)
    with transaction(engine) as session:
        globex = partner("globex", "Globex")
        initech = partner("initech", f"Initech {CANARY}")
        hooli = partner("hooli", "Hooli")
        session.add_all([globex, initech, hooli])
        session.flush()
        session.add(PartnerContact(partner_id=globex.id, position=0, email="oncall@globex.example"))
        for owner, slug in ((globex, SLUGS[0]), (globex, SLUGS[1]), (initech, SLUGS[2])):
            session.add(integration(owner, slug))
        session.add(integration(hooli, INSIDE, Visibility.INTERNAL))
        session.flush()
        add_objectives(session)
        tokens = {}
        for name, (email, role, places) in PEOPLE.items():
            known = {"role": role, "now_us": NOW_US, "actor": "test"}
            inside = role is Role.INTERNAL
            where = {"integrations": places} if inside else {"partners": places}
            add_user(session, email=email, password=PASSWORD, **where, **known)
            place = {"integration" if inside else "partner": places[0] if places else None}
            tokens[name] = add_token(session, name=name, **place, **known)
    engine.dispose()
    return tokens


def partner(slug: str, name: str) -> Partner:
    return Partner(slug=slug, name=name, created_us=0, updated_us=0)


def integration(
    owner: Partner, slug: str, visibility: Visibility = Visibility.PUBLIC
) -> Integration:
    return Integration(
        partner_id=owner.id, slug=slug, name=f"{owner.name} {slug}", created_us=0, updated_us=0,
        visibility=visibility, category=None, allow_private_addresses=False,
        connect_ms=1, first_byte_ms=1, idle_ms=1, total_ms=1, body_bytes=1,
    )  # fmt: skip


def add_objectives(session) -> None:
    for each in session.query(Integration).all():
        session.add_all(
            [
                Objective(
                    integration_id=each.id, position=0, name="availability", target=0.995,
                    threshold_ms=None, window_us=28 * DAY_US,
                ),
                Objective(
                    integration_id=each.id, position=1, name="latency", target=0.95,
                    threshold_ms=800, window_us=28 * DAY_US,
                ),
            ]
        )  # fmt: skip


def copy_of(template: Path, home: Path) -> Path:
    shutil.copytree(template, home)
    return home


def some_traffic() -> list[StoredExchange]:
    """A quarter of an hour: Globex mostly fine, Initech failing, some of nobody."""
    found = []
    for minute in range(15):
        at_us = NOW_US - minute * MINUTE_US
        for second in range(0, 40, 4):
            then_us = at_us - second * SECOND_US
            found.append(exchange(then_us, integration=SLUGS[0]))
            found.append(
                failure(
                    then_us, integration=SLUGS[2], operation=f"POST /{CANARY}", path=f"/{CANARY}",
                    customer=CANARY, installation=CANARY, topic=CANARY, error_detail=CANARY,
                )
            )  # fmt: skip
        found.append(failure(at_us, integration=SLUGS[0], kind=1, operation="ping", topic="ping"))
        found.append(exchange(at_us, integration="unattributed", path=f"/{CANARY}/unknown"))
    return found
