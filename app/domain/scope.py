"""Whose data a question may touch.

Every query takes a `Scope` and answers only from inside it. Only `app.auth` makes one, from a
session or a token; a structure test keeps that true. A partner's scope names partner slugs, that of
a customer's own builder the slugs of internal integrations.
"""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a user or a token is."""

    ADMIN = "admin"
    ECOSYSTEM = "ecosystem"
    PARTNER = "partner"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Scope:
    """The reach of one caller.

    `partners` is None for a caller that sees every partner, else the slugs it belongs to (an
    empty set sees nothing). `integrations` are slugs it sees beside those of its partners.
    """

    role: Role
    partners: frozenset[str] | None
    integrations: frozenset[str] = frozenset()

    def covers(self, partner_slug: str | None) -> bool:
        """Whether data of that partner may be shown; None is traffic that belongs to nobody."""
        if self.partners is None:
            return True
        return partner_slug is not None and partner_slug in self.partners

    def reaches(self, integration: str | None, partner_slug: str | None) -> bool:
        """Whether data of that integration of that partner may be shown."""
        return self.covers(partner_slug) or integration in self.integrations
