"""A partner's own list as rows, and the sentence over them. Pure."""

from app.domain.partner_list import Difference
from app.queries.partner_lists import ListView
from dashboards import format as show
from dashboards.pages.tables import CELL, Row
from dashboards.pages.witness_rows import story_href

#: What each difference is called.
KINDS = {
    "missing_here": "Missing here",
    "missing_there": "Missing on the list",
    "different_state": "Another state",
}
_NOT_THERE = "not known"


def said(view: ListView, now_us: int) -> str:
    """What there is to compare, how it differs, and why the newest list was not taken."""
    return " ".join(filter(None, (_taken(view, now_us), _refused(view, now_us))))


def row(slug: str, difference: Difference) -> Row:
    """One installation that the two do not agree on; one that is missing here has no page."""
    here = difference.here is not None
    return {
        "id": difference.installation,
        "kind": KINDS[difference.kind],
        "installation": show.plain(difference.installation, CELL),
        "href": story_href(f"{slug}:{difference.installation}") if here else None,
        "here": difference.here or _NOT_THERE,
        "there": difference.there or _NOT_THERE,
    }


def _taken(view: ListView, now_us: int) -> str:
    if view.taken_us is None:
        how = (
            f"it is pulled every {show.span(view.every_us)}."
            if view.every_us
            else "the partner posts it, or the registry says where to pull it from "
            "(installations_url, docs/registry.md)."
        )
        return f"No list was taken yet: {how}"
    ago = show.span(max(now_us - view.taken_us, 0))
    total = sum(view.counts.values())
    names = "1 installation" if view.listed == 1 else f"{show.count(view.listed)} installations"
    kinds = ", ".join(
        f"{show.count(number)} {KINDS[kind].lower()}"
        for kind, number in view.counts.items()
        if number
    )
    differs = f"differs in {show.count(total)}: {kinds}" if total else "says the same as here"
    shown = (
        f" The first {show.count(len(view.items))} are shown." if total > len(view.items) else ""
    )
    return f"The list of {names}, taken {ago} ago, {differs}.{shown}"


def _refused(view: ListView, now_us: int) -> str:
    if view.failure is None or view.tried_us is None:
        return ""
    ago = show.span(max(now_us - view.tried_us, 0))
    reason = view.failure.reason.replace("_", " ")
    detail = show.plain(view.failure.detail, CELL)
    stands = " The list before stands." if view.taken_us is not None else ""
    return f"The one of {ago} ago was not taken ({reason}): {detail}.{stands}"
