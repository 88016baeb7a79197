"""Links in mails that take, silence or close an incident: signed, for one incident, one address and
one deed, for seven days.

Whoever holds the mail may do what its links say, and nothing else. What a link names is in the
link, signed with the key of the sessions; nothing is kept, and a link is used up when the incident
is taken or over.
"""

from dataclasses import dataclass
from enum import StrEnum

from itsdangerous import BadData, URLSafeSerializer

from app.domain.window import DAY_US

LIFE_US = 7 * DAY_US
#: Longer than the longest address makes one; anything longer is not looked at.
_LONGEST = 2_000


class Act(StrEnum):
    """What a link does to its incident, as its path says it."""

    ACKNOWLEDGE = "acknowledge"
    SILENCE = "silence"
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True)
class IncidentLink:
    """What a link allows: its deed to `incident`, as `address`, before `expires_us`."""

    incident: int
    address: str
    expires_us: int


def path(
    secret_key: str, incident: int, address: str, now_us: int, act: Act = Act.ACKNOWLEDGE
) -> str:
    """The path and query of a new link, to stand behind the address of the web server."""
    token = _signer(secret_key, act).dumps([incident, address, now_us + LIFE_US])
    return f"/alerts/incidents/{incident}/{act}?token={token}"


def read(secret_key: str, token: str, act: Act = Act.ACKNOWLEDGE) -> IncidentLink | None:
    """What a token for `act` names, expired or not; None for one that is not ours."""
    if len(token) > _LONGEST:
        return None
    try:
        incident, address, expires_us = _signer(secret_key, act).loads(token)
    except BadData:
        return None
    return IncidentLink(incident, address, expires_us)


def _signer(secret_key: str, act: Act) -> URLSafeSerializer:
    """Each deed has a salt of its own: no link does what another was made for."""
    return URLSafeSerializer(secret_key, f"incident.{act}")
