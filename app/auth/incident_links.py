"""Links in mails that take an incident: signed, for one incident and one address, for seven days.

Whoever holds the mail may say that somebody looks after it, and nothing else. What a link names is
in the link, signed with the key of the sessions; nothing is kept, and a link is used up when the
incident is taken.
"""

from dataclasses import dataclass

from itsdangerous import BadData, URLSafeSerializer

from app.domain.window import DAY_US

LIFE_US = 7 * DAY_US
#: Longer than the longest address makes one; anything longer is not looked at.
_LONGEST = 2_000
_SALT = "incident.acknowledge"


@dataclass(frozen=True, slots=True)
class IncidentLink:
    """What a link allows: to take `incident`, as the owner of `address`, before `expires_us`."""

    incident: int
    address: str
    expires_us: int


def path(secret_key: str, incident: int, address: str, now_us: int) -> str:
    """The path and query of a new link, to stand behind the address of the web server."""
    token = URLSafeSerializer(secret_key, _SALT).dumps([incident, address, now_us + LIFE_US])
    return f"/alerts/incidents/{incident}/acknowledge?token={token}"


def read(secret_key: str, token: str) -> IncidentLink | None:
    """What a token names, expired or not; None for one that is not ours."""
    if len(token) > _LONGEST:
        return None
    try:
        incident, address, expires_us = URLSafeSerializer(secret_key, _SALT).loads(token)
    except BadData:
        return None
    return IncidentLink(incident, address, expires_us)
