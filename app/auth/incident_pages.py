"""Taking, silencing and closing an incident from a mail, without logging in.

It takes two steps, a page and a button: programs that look at mails open every address in them,
and press no buttons. The pages say what the mail said, the summary of that incident, and nothing
more.
"""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, request
from flask import current_app as app
from werkzeug.wrappers import Response as AnyResponse

from app.auth import entering, incident_links
from app.auth.caller import own_scope
from app.auth.context import clock_us, engine, reading
from app.auth.incident_links import Act, IncidentLink
from app.commands.alerting import acknowledge, close, silence_incident
from app.db import transaction
from app.domain.window import HOUR_US, SECOND_US
from app.errors import NotFound
from app.queries import alerts
from app.queries.results import IncidentView

FORGED = "This link is not one of ours. Open the one in the mail, whole."
EXPIRED = "This link is older than seven days. Log in to see to the incident."
GONE = "This incident is no longer kept."


def add(pages: Blueprint) -> None:
    """Its route."""
    pages.add_url_rule(
        f"/alerts/incidents/<number>/<any({','.join(Act)}):act>",
        "incident",
        _answer,
        methods=["GET", "POST"],
    )


def _answer(number: str, act: str) -> AnyResponse:
    asked = Act(act)
    link = incident_links.read(str(app.secret_key), request.values.get("token", ""), asked)
    if link is None or str(link.incident) != number:
        return _problem(FORGED, 404)
    if link.expires_us <= clock_us():
        return _problem(EXPIRED, 410, link)
    try:
        said = _DEEDS[asked](link) if request.method == "POST" else ""
        found = alerts.incident(reading(), own_scope(), link.incident)
    except NotFound:
        return _problem(GONE, 404)
    return entering.page(
        "incident.html", incident=found, act=act, said=said or _settled(found, link, asked),
        address=link.address, token=request.values.get("token", ""), lengths=_LENGTHS,
    )  # fmt: skip


def _take(link: IncidentLink) -> str:
    with transaction(engine()) as session:
        mine = acknowledge(session, own_scope(), **_by(link))
    return "It is yours now." if mine else ""


def _close(link: IncidentLink) -> str:
    with transaction(engine()) as session:
        closed = close(session, own_scope(), **_by(link))
    return "It is over; whoever was told that it began is told so." if closed else ""


def _silence(link: IncidentLink) -> str:
    hours = request.form.get("hours", "")
    if hours not in _LENGTHS:
        return "Choose how long."
    with transaction(engine()) as session:
        made = silence_incident(
            session, own_scope(), for_us=_LENGTHS[hours], address=link.address, **_by(link)
        )
        whom = "Nobody of yours" if made.partners_only else "Nobody"
    return f"{whom} is told of it, or of anything else there, for {hours} h."


def _settled(found: IncidentView, link: IncidentLink, act: Act) -> str:
    """What makes the deed of a link needless; "" while it is to be done."""
    if act == Act.ACKNOWLEDGE and found.acked_us is not None:
        who = "You have" if found.acked_by == _actor(link) else "Somebody has"
        return f"{who} it since {_clock(found.acked_us)}."
    if act == Act.RESOLVE and found.resolved_us is not None:
        return f"It is over since {_clock(found.resolved_us)}."
    return ""


def _clock(at_us: int) -> str:
    return f"{datetime.fromtimestamp(at_us // SECOND_US, UTC):%d %b %H:%M} UTC"


def _by(link: IncidentLink) -> dict[str, Any]:
    return {"number": link.incident, "now_us": clock_us(), "actor": _actor(link)}


_LENGTHS = {"1": HOUR_US, "4": 4 * HOUR_US}
_DEEDS = {Act.ACKNOWLEDGE: _take, Act.SILENCE: _silence, Act.RESOLVE: _close}


def _problem(said: str, status: int, link: IncidentLink | None = None) -> AnyResponse:
    number = None if link is None else link.incident
    return entering.page("incident_problem.html", status, said=said, number=number)


def _actor(link: IncidentLink) -> str:
    return f"mail:{link.address}"
