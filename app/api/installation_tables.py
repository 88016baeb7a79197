"""What is stuck and what does not fit, as CSV for spreadsheets."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from flask import Response
from flask_smorest import Blueprint

from app import queries
from app.api import rendering
from app.api.arguments import Arguments
from app.api.context import reading, scope
from app.queries.installations import FindingView, InstallationView
from app.queries.spreadsheet import table

#: The most lines of one table.
MOST = 100_000
_STUCK = (
    "installation", "customer", "plan", "source", "entered at (UTC)", "waits for",
    "due at (UTC)", "cause", "what failed", "ended", "fault", "exchange", "what to do",
)  # fmt: skip
_FINDINGS = (
    "kind", "installation", "since (UTC)", "found at (UTC)", "seen at (UTC)", "evidence",
)  # fmt: skip


def add_routes(api: Blueprint) -> None:
    """Add them to the blueprint of the API."""
    _route(api, "/integrations/<slug>/stuck-installs.csv", stuck)
    _route(api, "/integrations/<slug>/reconciliation.csv", findings)


def _route(api: Blueprint, path: str, view: Any) -> None:
    wrapped = api.arguments(Arguments, location="query", unknown="raise")(view)
    wrapped = api.response(200, {"type": "string"}, content_type="text/csv")(wrapped)
    for status in (401, 404, 422, 429, 503):
        wrapped = api.alt_response(status, "PROBLEM")(wrapped)
    api.route(path, methods=["GET"])(wrapped)


def stuck(_given: dict[str, Any], slug: str) -> Response:
    """All installs of one integration that are past a deadline, those that are late longest
    first."""
    found, _ = queries.stuck(reading(), scope(), slug, MOST)
    return _answer(f"{slug}-stuck-installs", _STUCK, map(_stuck, found))


def findings(_given: dict[str, Any], slug: str) -> Response:
    """All that platform, wire and billing disagree about at one integration, the oldest first."""
    found = queries.reconciliation(reading(), scope(), slug, limit=MOST)
    return _answer(f"{slug}-contradictions", _FINDINGS, map(_finding, found.items))


def _stuck(view: InstallationView) -> Sequence[object]:
    failure = view.failure
    return (
        view.installation, view.customer, view.plan, view.source, _moment(view.entered_us),
        view.next_step, _moment(view.due_us), view.lost_cause,
        *((failure.what, failure.ended, failure.fault, failure.exchange) if failure
          else (None,) * 4),
        view.advice,
    )  # fmt: skip


def _finding(view: FindingView) -> Sequence[object]:
    times = (_moment(at_us) for at_us in (view.since_us, view.opened_us, view.seen_us))
    evidence = {
        name.removesuffix("_us"): _moment(value) if name.endswith("_us") else value
        for name, value in view.evidence.items()
    }
    return view.kind, view.installation, *times, json.dumps(evidence)


def _moment(at_us: Any) -> str | None:
    return None if at_us is None else rendering.moment(at_us)


def _answer(name: str, head: Sequence[str], lines: Iterable[Sequence[object]]) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(table(head, lines), mimetype="text/csv", headers=headers)
