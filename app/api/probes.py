"""`/livez`, `/readyz` and `/metrics`: what programs ask about Midspan itself."""

from collections.abc import Callable

from flask import Blueprint, Response, jsonify, request
from sqlalchemy import text

from app import db, telemetry
from app.api.context import reading
from app.errors import MidspanError


def blueprint() -> Blueprint:
    """Its routes."""
    probes = Blueprint("probes", __name__, template_folder="templates")
    probes.add_url_rule("/livez", "livez", _livez)
    probes.add_url_rule("/readyz", "readyz", _readyz)
    probes.add_url_rule("/metrics", "metrics", _metrics)
    return probes


def _livez() -> Response:
    """This process answers; that is all it says."""
    return jsonify(status="ok")


def _readyz() -> tuple[Response, int]:
    """Whether both databases answer, and if not, which one is away and why. The reason names no
    address: the probe is public."""
    parts = {"registry": _state(_ask_registry), "metrics_store": _state(_ask_store)}
    ready = all(state == "ok" for state in parts.values())
    answer = jsonify(status="ok" if ready else "away", parts=parts)
    return answer, 200 if ready else 503


def _metrics() -> Response:
    body, content_type = telemetry.exposition(request.headers.get("Accept", "*/*"))
    return Response(body, content_type=content_type)


def _state(ask: Callable[[], None]) -> str:
    try:
        ask()
    except MidspanError as error:
        return "misconfigured" if error.permanent else "away"
    return "ok"


def _ask_registry() -> None:
    with db.reading(reading().engine) as session:
        session.execute(text("SELECT revision FROM registry_state"))


def _ask_store() -> None:
    reading().store.newest_us()
