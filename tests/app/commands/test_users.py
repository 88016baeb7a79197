"""Users: adding, changing, disabling; and tokens of people's sessions ending with it."""

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine, select

from app import db
from app.commands import passwords, registry_import, users
from app.commands.registry_values import IntegrationEntry, PartnerEntry, RegistryFile
from app.domain.scope import Role
from app.errors import NotFound, Refused
from app.models import AuditEntry, LoginSession, User, Visibility

PASSWORD = "correct horse"


@pytest.fixture
def filled(engine: Engine) -> Engine:
    globex = PartnerEntry(
        "globex",
        "G",
        integrations=(
            IntegrationEntry("globex-api", "A"),
            IntegrationEntry("globex-inside", "I", visibility=Visibility.INTERNAL),
        ),
    )
    file = RegistryFile("Acme", None, (globex, PartnerEntry("hooli", "H")))
    with db.transaction(engine) as session:
        registry_import.apply(session, file, now_us=1, actor="test")
    return engine


def add(engine: Engine, email: str = "Ann@Acme.example", **given: object) -> User:
    arguments = {"role": Role.ADMIN, "password": PASSWORD, **given}
    with db.transaction(engine) as session:
        return users.add_user(session, email=email, now_us=5, actor="cli:me", **arguments)


def log_in(engine: Engine, user: User, digest: str) -> None:
    with db.transaction(engine) as session:
        session.add(
            LoginSession(
                id_sha256=digest,
                user_id=user.id,
                method="password",
                address="192.0.2.1",
                agent="x",
                created_us=5,
                last_seen_us=5,
                expires_us=9,
            )
        )


def test_a_user_is_kept_in_lower_case_with_a_hash_and_an_audit_row(filled: Engine) -> None:
    add(filled)
    with db.reading(filled) as session:
        (user,) = users.list_users(session)
        audit = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert (user.email, user.role, user.created_us) == ("ann@acme.example", Role.ADMIN, 5)
    assert user.password_hash.startswith("$argon2id$")
    assert PasswordHasher().verify(user.password_hash, PASSWORD)
    assert audit is not None
    assert (audit.actor, audit.action, audit.subject) == ("cli:me", "user.added", user.email)
    assert PASSWORD not in audit.detail


def test_a_partners_user_belongs_to_each_partner_named(filled: Engine) -> None:
    add(filled, role=Role.PARTNER, partners=("hooli", "globex", "hooli"))
    with db.reading(filled) as session:
        (user,) = users.list_users(session)
        assert [partner.slug for partner in user.partners] == ["globex", "hooli"]


@pytest.mark.parametrize(
    ("given", "kind", "said"),
    [
        ({"role": Role.PARTNER}, Refused, "name at least one with --partner SLUG"),
        ({"partners": ("globex",)}, Refused, "leave --partner out"),
        ({"role": Role.PARTNER, "partners": ("nobody",)}, NotFound, "no partner 'nobody'"),
        ({"role": Role.INTERNAL}, Refused, "name at least one with --integration SLUG"),
        ({"integrations": ("globex-api",)}, Refused, "leave --integration out"),
        ({"role": Role.INTERNAL, "integrations": ("who",)}, NotFound, "no integration 'who'"),
        (
            {"role": Role.INTERNAL, "integrations": ("globex-api",)},
            Refused,
            "globex-api is public: role internal is for internal integrations",
        ),
        ({"password": "short"}, Refused, "8 to 1,000 characters"),
        ({"password": "x" * 1001}, Refused, "8 to 1,000 characters"),
        ({"email": "nobody"}, Refused, "'nobody' is not a mail address"),
        ({"email": "a@b.example\nBcc: c@d.example"}, Refused, "is not a mail address"),
        ({"email": "TAKEN@acme.example"}, Refused, "there is a user taken@acme.example already"),
    ],
)
def test_what_cannot_be_added_is_refused_and_leaves_nothing(
    given: dict[str, object], kind: type[Exception], said: str, filled: Engine
) -> None:
    add(filled, email="taken@acme.example")
    with pytest.raises(kind) as caught:
        add(filled, **given)
    assert said in str(caught.value)
    with db.reading(filled) as session:
        assert [user.email for user in users.list_users(session)] == ["taken@acme.example"]


def test_a_removed_partner_takes_no_new_users(filled: Engine) -> None:
    with db.transaction(filled) as session:
        registry_import.apply(session, RegistryFile("Acme"), now_us=2, actor="test")
    with pytest.raises(NotFound):
        add(filled, role=Role.PARTNER, partners=("globex",))


def test_disabling_ends_every_session_once(filled: Engine) -> None:
    user, other = add(filled), add(filled, email="bob@acme.example")
    log_in(filled, user, "a" * 64)
    log_in(filled, other, "b" * 64)
    for expected in (True, False):
        with db.transaction(filled) as session:
            done = users.disable_user(session, email="ANN@acme.example", now_us=7, actor="x")
        assert done is expected
    with db.reading(filled) as session:
        assert users.find_user(session, user.email).disabled_us == 7
        revoked = dict(session.execute(select(LoginSession.user_id, LoginSession.revoked_us)).all())
    assert revoked == {user.id: 7, other.id: None}


def test_a_disabled_user_can_be_enabled(filled: Engine) -> None:
    add(filled)
    add(filled, email="bob@acme.example")
    with db.transaction(filled) as session:
        assert not users.enable_user(session, email="ann@acme.example", now_us=6, actor="x")
        users.disable_user(session, email="ann@acme.example", now_us=7, actor="x")
        assert users.enable_user(session, email="ann@acme.example", now_us=8, actor="x")
        assert users.find_user(session, "ann@acme.example").disabled_us is None


def test_a_new_password_ends_every_session(filled: Engine) -> None:
    user = add(filled)
    log_in(filled, user, "a" * 64)
    with db.transaction(filled) as session:
        users.set_password(session, email=user.email, password="another horse", now_us=7, actor="x")
    with db.reading(filled) as session:
        found = users.find_user(session, user.email)
        assert PasswordHasher().verify(found.password_hash, "another horse")
        assert session.scalars(select(LoginSession.revoked_us)).all() == [7]


def test_nobody_is_not_found(filled: Engine) -> None:
    with pytest.raises(NotFound, match="user list"), db.transaction(filled) as session:
        users.disable_user(session, email="who@acme.example", now_us=1, actor="x")


def test_generated_passwords_are_long_and_differ() -> None:
    made = {passwords.generate() for _ in range(50)}
    assert len(made) == 50
    assert all(len(each) >= 20 for each in made)


def move(engine: Engine, email: str = "ann@acme.example", **given: object) -> bool:
    with db.transaction(engine) as session:
        return users.move_user(session, email=email, now_us=7, actor="x", **given)


def test_who_is_moved_is_logged_out_and_keeps_no_old_partner(filled: Engine) -> None:
    add(filled, email="root@acme.example")
    user = add(filled, role=Role.PARTNER, partners=("globex",))
    log_in(filled, user, "a" * 64)
    assert move(filled, role=Role.PARTNER, partners=("hooli",))
    assert not move(filled, role=Role.PARTNER, partners=("hooli",))
    with db.reading(filled) as session:
        found = users.find_user(session, user.email)
        assert users.belongs_to(found) == ["hooli"]
        assert session.scalars(select(LoginSession.revoked_us)).all() == [7]
    assert move(filled, role=Role.INTERNAL, integrations=("globex-inside",))
    with db.reading(filled) as session:
        found = users.find_user(session, user.email)
        assert (found.role, users.belongs_to(found)) == (Role.INTERNAL, ["globex-inside"])
        last = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert last is not None
        assert (last.action, last.detail) == ("user.moved", "role internal, globex-inside")


def test_the_last_administrator_stays(filled: Engine) -> None:
    add(filled)
    add(filled, email="eco@acme.example", role=Role.ECOSYSTEM)
    with pytest.raises(Refused, match="the last administrator"):
        move(filled, role=Role.ECOSYSTEM)
    with pytest.raises(Refused, match="the last administrator"), db.transaction(filled) as session:
        users.disable_user(session, email="ann@acme.example", now_us=7, actor="x")
    add(filled, email="bob@acme.example")
    assert move(filled, role=Role.ECOSYSTEM)


def test_somebody_may_have_no_password(filled: Engine) -> None:
    assert add(filled, password=None).password_hash is None
