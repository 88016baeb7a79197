"""Who can log in to the demo, and where its API token is kept."""

from typing import NamedTuple

from app.domain.scope import Role

DOMAIN = "acme.example"
#: Holds the token: it is shown once when made, and a kept home has to show it again.
TOKEN_FILE = "demo-token"  # noqa: S105 - a file's name


class Person(NamedTuple):
    """A log-in; `partner` is the slug of the only partner it sees."""

    email: str
    role: Role
    partner: str | None
    about: str


PEOPLE = (
    Person(f"admin@{DOMAIN}", Role.ADMIN, None, "sees and changes everything"),
    Person(f"ecosystem@{DOMAIN}", Role.ECOSYSTEM, None, "ecosystem engineer: sees every partner"),
    Person("dev@umbrella.example", Role.PARTNER, "umbrella", "partner Umbrella: sees its own"),
)
