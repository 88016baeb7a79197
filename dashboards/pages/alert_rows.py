"""Incidents, silences and who was told as rows of grids, and the sentence over them. Pure."""

from app.domain.window import MINUTE_US, SECOND_US
from app.queries.results import IncidentView, NotificationView, SilenceView
from dashboards import format as show
from dashboards.pages.tables import CELL, Row

#: Rules are evaluated every 15 s; nothing for so long means that nobody watches.
LATE_US = 45 * SECOND_US
_TONES = {"P1": "bad", "P2": "bad", "P3": "warn", "P4": "quiet"}
_STATES = {"firing": "firing", "recovering": "recovering", "resolved": "over"}
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_EVENTS = {
    "fired": "that it began",
    "acknowledged": "that somebody has it",
    "resolved": "that it is over",
}
_DELIVERIES = {
    "queued": ("◌ Waits", "warn"),
    "sent": ("✓ Sent", "ok"),
    "dropped": ("‖ Not sent", "quiet"),
    "failed": ("■ Given up", "bad"),
}
#: Why a notification was sent or not, in words; the names are those of the stages of alerts.
REASONS = {
    "first_word": "the first word on this incident",
    "it_is_over": "this address knows that it began",
    "nobody_to_tell": "nobody is to be told of it",
    "silenced": "a silence was in force",
    "explained_by_platform": "the outage of the platform explains it, and is told instead",
    "explained_by_midspan": "Midspan itself saw nothing then, and that is told instead",
    "explained_no_more": "what explained it, or silenced it, is over, and it goes on",
    "part_of_incident": "a louder alert about this integration was told already",
    "never_told": "this address never heard that it began",
    "too_many": "this address was told of 60 others within an hour",
    "nobody_took_it": "nobody had taken it by then",
    "somebody_has_it": "it would ring on there otherwise",
    "not_needed": "somebody took it, or it was over, before this step was due",
    "overtaken": "it was over before this could be delivered",
}


def sentence(firing: int, untaken: int, ended_us: int | None, now_us: int) -> str:
    """What the page opens with: how many fire and how many of them nobody has taken, or since when
    nothing does. `ended_us`: when the last incident ended, None when there never was one."""
    if not firing:
        if ended_us is None:
            return "Nothing fires, and nothing did before."
        return f"Nothing fires. The last incident ended {show.ago(ended_us, now_us)}."
    fires = f"{_number(firing).capitalize()} alert{'s fire' if firing > 1 else ' fires'}"
    if not untaken:
        return f"{fires}; {'somebody has it' if firing == 1 else 'somebody has each'}."
    if untaken == firing:
        return f"{fires}; {'it is' if firing == 1 else 'all are'} nobody's yet."
    return f"{fires}; {_number(untaken)} {'is' if untaken == 1 else 'are'} nobody's yet."


def late(evaluated_us: int | None, now_us: int) -> str:
    """What to say when nobody watches; "" while somebody does."""
    if evaluated_us is None:
        return "No rule was evaluated here yet: is `python -m alerts run` running?"
    if now_us - evaluated_us <= LATE_US:
        return ""
    ago = show.ago(evaluated_us, now_us)
    return f"Rules were last evaluated {ago}: what fires may be out of date."


def incident_row(view: IncidentView, now_us: int) -> Row:
    """One incident, firing or over."""
    lasted_us = (now_us if view.resolved_us is None else view.resolved_us) - view.fired_us
    return {
        "id": str(view.id),
        "href": f"/alerts?incident={view.id}",
        "severity": view.severity,
        "status": view.severity,
        "tone": _TONES.get(view.severity, "quiet"),
        "summary": said(view.summary),
        "rule": show.plain(view.rule, CELL),
        "about": about(view),
        "fired_us": view.fired_us,
        "stamp": show.stamp(view.fired_us),
        "lasted": lasted_us,
        "lasted_text": show.span(max(MINUTE_US, lasted_us // MINUTE_US * MINUTE_US)),
        "state": _STATES.get(view.state, view.state),
        "taken": taken(view),
    }


def about(view: IncidentView) -> str:
    """What an incident is about."""
    return view.integration or view.partner or "Midspan"


def taken(view: IncidentView) -> str:
    """Who looks after it."""
    if view.acked_by:
        return show.plain(_who(view.acked_by), 120)
    return "nobody yet" if view.resolved_us is None else "nobody"


def closed(view: IncidentView) -> str:
    """Who said that it is over; "" where an evaluation found so."""
    return f"; {show.plain(_who(view.closed_by), 120)} closed it" if view.closed_by else ""


def said(text: str) -> str:
    """A sentence of Midspan's own in which foreign words may stand: its narrow blanks stay."""
    return show.THIN.join(show.plain(part, CELL) for part in text[:CELL].split(show.THIN))


def told_row(place: int, view: NotificationView) -> Row:
    """One notification, sent or not, and why."""
    text, tone = _DELIVERIES.get(view.delivery, (view.delivery, "quiet"))
    tries = f" after {show.count(view.attempts)} attempts" if view.attempts > 1 else ""
    error = f": {show.plain(view.error, CELL)}" if view.error else ""
    return {
        "id": str(place),
        "at_us": view.at_us,
        "stamp": show.stamp(view.at_us),
        "status": text,
        "tone": tone,
        "event": _EVENTS.get(view.event, view.event),
        "who": show.plain(view.address or view.receiver, CELL),
        "as": f"{view.receiver}, by {view.channel}" if view.address else "",
        "why": f"{REASONS.get(view.reason, view.reason)}{tries}{error}",
    }


def silence_row(view: SilenceView, now_us: int) -> Row:
    """One silence, in force or to come."""
    to_come = view.starts_us > now_us
    what = view.integration or (f"all of {view.partner}" if view.partner else "everything")
    return {
        "id": str(view.id),
        "what": f"{what}, for its partner" if view.partners_only else what,
        "rule": show.plain(view.rule, CELL) or "every rule",
        "ends": view.ends_us,
        "ends_text": f"from {show.minute(view.starts_us)}" if to_come
        else f"for {show.span(view.ends_us - now_us).split(' ')[0]} more",
        "stamp": f"until {show.stamp(view.ends_us)}",
        "by": show.plain(_who(view.created_by), 120),
        "comment": show.plain(view.comment, CELL),
    }  # fmt: skip


def _who(actor: str) -> str:
    """`user:ann@acme.example` is Ann, who clicked; a mail's link is told apart."""
    kind, colon, name = actor.partition(":")
    if not colon:
        return actor
    return {"user": name, "mail": f"{name} (by mail)"}.get(kind, actor)


def _number(value: int) -> str:
    return _NUMBERS[value] if value < len(_NUMBERS) else show.count(value)
