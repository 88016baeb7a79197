"""What is stuck and what does not fit as rows, and the sentences over them. Pure."""

from collections.abc import Mapping
from urllib.parse import quote

from app.queries.installations import FindingView, InstallationView, Reconciled
from app.queries.stories import Moment
from dashboards import format as show
from dashboards.pages.tables import CELL, Row

#: What each contradiction is called.
KINDS = {
    "never_acknowledged": "Never acknowledged",
    "acknowledged_never_called": "Acknowledged, never called",
    "uninstalled_still_calling": "Uninstalled, still calling",
    "uninstalled_still_receiving": "Uninstalled, still receiving",
    "calling_without_install": "Calling without an install",
    "paying_but_silent": "Paying, but silent",
    "installed_twice": "Installed twice",
}
_NAMES = {
    "webhooks": "webhooks sent", "acknowledged": "acknowledged", "calls": "calls",
    "beside": "beside", "first_webhook_us": "first", "last_webhook_us": "last webhook",
    "first_acknowledged_us": "first acknowledged", "first_call_us": "first call",
    "last_call_us": "last call", "uninstalled_us": "uninstalled", "paying_us": "paid for since",
    "last_used_us": "last used",
}  # fmt: skip
_SORTS = {
    "lifecycle": "Lifecycle", "webhook": "→ Webhook", "call": "← Call by the partner",
    "request": "→ Request", "billing": "Billing", "finding": "Contradiction",
}  # fmt: skip


def stuck_row(view: InstallationView, now_us: int) -> Row:
    """One install that is stuck."""
    failure = view.failure
    late = show.span(now_us - view.due_us) if view.due_us else show.NONE
    return {
        "id": view.id,
        "installation": show.plain(view.installation, CELL),
        "href": story_href(view.id),
        "customer": show.plain(view.customer, 80) or show.NONE,
        "step": show.plain(view.next_step, 80),
        "late": now_us - (view.due_us or now_us),
        "late_text": late,
        "failed": f"{failure.what} · {failure.ended}" if failure else "nothing failed",
        "advice": show.plain(view.advice, CELL),
    }


def finding_row(view: FindingView, now_us: int) -> Row:
    """One contradiction."""
    return {
        "id": f"{view.kind} {view.installation}",
        "kind": KINDS.get(view.kind, view.kind),
        "installation": show.plain(view.installation, CELL),
        "href": story_href(f"{view.integration}:{view.installation}"),
        "since": now_us - view.since_us,
        "since_text": show.span(now_us - view.since_us),
        "evidence": show.plain(evidence(view.evidence), CELL),
    }


def evidence(found: Mapping[str, int | str]) -> str:
    """The numbers that a contradiction follows from."""
    said = []
    for name, value in found.items():
        word = _NAMES.get(name, name)
        if name.endswith("_us") and isinstance(value, int):
            said.append(f"{word} {show.minute(value)}")
        else:
            said.append(f"{show.count(value) if isinstance(value, int) else value} {word}")
    return " · ".join(said)


def sentence(stuck: int, found: Reconciled) -> str:
    """What the page opens with."""
    total = sum(found.counts.values())
    late = _some(stuck, "install is stuck", "installs are stuck")
    if found.compared_us is None:
        return f"{late}; witnesses were not compared yet: the scheduler does so every minute."
    if not total:
        agree = f"platform, wire and billing agree about {show.count(found.installations)}"
        return f"{late}, and {agree} installation{'' if found.installations == 1 else 's'}."
    worst = max(found.counts, key=lambda kind: found.counts[kind])
    most = found.counts[worst]
    often = "" if most == total else f", {show.count(most)} of them"
    does = _some(total, "contradiction", "contradictions").lower()
    said = f"{late}, and there {'is' if total == 1 else 'are'} {does}{often}"
    return f"{said}: {KINDS[worst].lower()}."


def moment_row(moment: Moment, number: int) -> Row:
    """One moment of a story."""
    many = moment.exchange is None and moment.exchanges > 0
    what = f"{show.count(moment.exchanges)} on this day" if many else moment.what
    if moment.sort == "finding":
        what = KINDS.get(moment.what, moment.what)
    if moment.sort == "billing":
        what = moment.what.replace("_", " ")
    detail = f"{show.count(moment.bad)} bad" if many and moment.bad else moment.detail
    return {
        "id": str(number),
        "at": moment.at_us,
        "stamp": show.stamp(moment.at_us),
        "sort": _SORTS.get(moment.sort, moment.sort),
        "what": show.plain(what, CELL),
        "detail": show.plain(detail, CELL),
        "tone": "" if moment.well else "bad",
        "href": f"/exchanges/{moment.exchange}" if moment.exchange else None,
    }


def standing(view: InstallationView, now_us: int) -> str:
    """What the page of one installation opens with."""
    customer = show.plain(view.customer, 80)
    whose = f" for {customer}" if customer else ""
    if view.state == "uninstalled" and view.uninstalled_us:
        why = f": {show.plain(view.reason, 120)}" if view.reason else ""
        who = f" by {customer}" if customer else ""
        return f"Uninstalled{who} {show.span(now_us - view.uninstalled_us)} ago{why}."
    if view.state == "installing" and view.due_us and view.due_us <= now_us:
        return f"Stuck{whose} before {view.next_step}. {view.advice}"
    since_us = view.activated_us or view.entered_us or view.last_event_us
    return f"{view.state.capitalize()}{whose}, since {show.stamp(since_us)}."


def story_href(address: str) -> str:
    """The page of an installation."""
    return f"/installations/{quote(address, safe='')}"


def _some(number: int, one: str, many: str) -> str:
    return f"{show.count(number) if number else 'No'} {one if number == 1 else many}"
