"""Tokens: printed once, kept as a digest, revoked for good."""

import hashlib
import re

import pytest
from sqlalchemy import Engine, select

from app import db
from app.commands import registry_import, tokens
from app.commands.registry_values import PartnerEntry, RegistryFile
from app.domain.scope import Role
from app.errors import NotFound, Refused
from app.models import ApiToken, AuditEntry


@pytest.fixture
def filled(engine: Engine) -> Engine:
    file = RegistryFile("Acme", None, (PartnerEntry("globex", "G"),))
    with db.transaction(engine) as session:
        registry_import.apply(session, file, now_us=1, actor="test")
    return engine


def add(engine: Engine, name: str = "ci", **given: object) -> str:
    arguments = {"role": Role.ECOSYSTEM, **given}
    with db.transaction(engine) as session:
        return tokens.add_token(session, name=name, now_us=5, actor="x", **arguments)


def test_a_token_has_256_random_bits_and_only_its_digest_is_kept(filled: Engine) -> None:
    token = add(filled)
    assert re.fullmatch(r"mst_[A-Za-z0-9_-]{43}", token)
    assert add(filled, name="other") != token
    with db.reading(filled) as session:
        row = tokens.list_tokens(session)[0]
        details = session.scalars(select(AuditEntry.detail)).all()
    assert row.sha256 == hashlib.sha256(token.encode()).hexdigest() == tokens.digest(token)
    values = [str(getattr(row, column.key)) for column in ApiToken.__table__.columns]
    assert not any(token in value for value in [*values, *details])


def test_a_partners_token_names_its_partner(filled: Engine) -> None:
    add(filled, role=Role.PARTNER, partner="globex")
    with db.reading(filled) as session:
        (row,) = tokens.list_tokens(session)
        assert row.partner is not None
        assert (row.role, row.partner.slug) == (Role.PARTNER, "globex")


@pytest.mark.parametrize(
    ("given", "kind", "said"),
    [
        ({"role": Role.PARTNER}, Refused, "a token of role partner needs --partner SLUG"),
        ({"partner": "globex"}, Refused, "a token of role ecosystem goes without --partner"),
        ({"role": Role.INTERNAL}, Refused, "role internal needs --integration SLUG"),
        ({"integration": "x"}, Refused, "role ecosystem goes without --integration"),
        ({"role": Role.INTERNAL, "integration": "who"}, NotFound, "no integration 'who'"),
        ({"role": Role.PARTNER, "partner": "who"}, NotFound, "no partner 'who'"),
        ({"name": "taken"}, Refused, "there is a token 'taken' already"),
        ({"name": " "}, Refused, "the name of a token must have 1 to 200 characters"),
        ({"name": "a\nb"}, Refused, "one line"),
    ],
)
def test_what_cannot_be_added_is_refused(
    given: dict[str, object], kind: type[Exception], said: str, filled: Engine
) -> None:
    add(filled, name="taken")
    with pytest.raises(kind) as caught:
        add(filled, **given)
    assert said in str(caught.value)
    with db.reading(filled) as session:
        assert len(tokens.list_tokens(session)) == 1


def test_a_revoked_token_stays_in_the_list_and_frees_its_name(filled: Engine) -> None:
    add(filled)
    with db.transaction(filled) as session:
        tokens.revoke_token(session, name="ci", now_us=7, actor="x")
    add(filled)
    with db.reading(filled) as session:
        assert [row.revoked_us for row in tokens.list_tokens(session)] == [7, None]


def test_revoking_what_is_not_valid_is_not_found(filled: Engine) -> None:
    with pytest.raises(NotFound, match="token list"), db.transaction(filled) as session:
        tokens.revoke_token(session, name="ci", now_us=7, actor="x")
