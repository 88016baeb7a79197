"""Taking an incident from a mail, without logging in.

It takes two steps, a page and a button: programs that look at mails open every address in them,
and press no buttons. The pages say what the mail said, the summary of that incident, and nothing
more.
"""

from datetime import UTC, datetime

from flask import Blueprint, request
from flask import current_app as app
from werkzeug.wrappers import Response as AnyResponse

from app.auth import entering, incident_links
from app.auth.caller import own_scope
from app.auth.context import clock_us, engine, reading
from app.auth.incident_links import IncidentLink
from app.commands.alerting import acknowledge
from app.db import transaction
from app.domain.window import SECOND_US
from app.errors import NotFound
from app.queries import alerts
from app.queries.results import IncidentView

FORGED = "This link is not one of ours. Open the one in the mail, whole."
EXPIRED = "This link is older than seven days. Log in to take the incident."
GONE = "This incident is no longer kept."


def add(pages: Blueprint) -> None:
    """Its route."""
    pages.add_url_rule(
        "/alerts/incidents/<number>/acknowledge", "acknowledge", _take, methods=["GET", "POST"]
    )


def _take(number: str) -> AnyResponse:
    link = incident_links.read(str(app.secret_key), request.values.get("token", ""))
    if link is None or str(link.incident) != number:
        return _problem(FORGED, 404)
    if link.expires_us <= clock_us():
        return _problem(EXPIRED, 410, link)
    try:
        return _confirmed(link) if request.method == "POST" else _asked(link)
    except NotFound:
        return _problem(GONE, 404)


def _asked(link: IncidentLink) -> AnyResponse:
    found = alerts.incident(reading(), own_scope(), link.incident)
    return _page(found, link) if found.acked_us is None else _taken(found, link)


def _confirmed(link: IncidentLink) -> AnyResponse:
    with transaction(engine()) as session:
        mine = acknowledge(
            session, own_scope(), number=link.incident, now_us=clock_us(), actor=_actor(link)
        )
    found = alerts.incident(reading(), own_scope(), link.incident)
    return _page(found, link, said="It is yours now.") if mine else _taken(found, link)


def _taken(found: IncidentView, link: IncidentLink) -> AnyResponse:
    who = "You have" if found.acked_by == _actor(link) else "Somebody has"
    at_us = found.acked_us or 0
    said = f"{who} it since {datetime.fromtimestamp(at_us // SECOND_US, UTC):%d %b %H:%M} UTC."
    return _page(found, link, said=said)


def _page(found: IncidentView, link: IncidentLink, said: str = "") -> AnyResponse:
    return entering.page(
        "incident.html", incident=found, said=said, address=link.address,
        token=request.values.get("token", ""),
    )  # fmt: skip


def _problem(said: str, status: int, link: IncidentLink | None = None) -> AnyResponse:
    number = None if link is None else link.incident
    return entering.page("incident_problem.html", status, said=said, number=number)


def _actor(link: IncidentLink) -> str:
    return f"mail:{link.address}"
