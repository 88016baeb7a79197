"""The log-in page and the way out. Plain HTML: it works without scripts and before the app does."""

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from app.auth import entering, incident_pages, link_pages, oidc_pages, report_pages, sessions
from app.auth.context import clock_us, engine, settings
from app.auth.cookie import SESSION
from app.auth.guard import identify
from app.auth.local import local_target
from app.auth.login import Attempt, Door

WRONG = "This e-mail and password do not belong together."


def blueprint() -> Blueprint:
    """Its routes, with counts of failures of their own."""
    pages = Blueprint(
        "auth", __name__, template_folder="templates", static_folder="static",
        static_url_path="/login/static",
    )  # fmt: skip
    door = Door()
    pages.add_url_rule("/login", "login", lambda: _login(door), methods=["GET", "POST"])
    pages.add_url_rule("/logout", "logout", _logout, methods=["POST"])
    link_pages.add(pages)
    incident_pages.add(pages)
    report_pages.add(pages)
    oidc_pages.add(pages)
    return pages


def _login(door: Door) -> AnyResponse:
    target = local_target(request.values.get("next"))
    if request.method == "POST":
        return _enter(door, target)
    if _has_session():
        return redirect(target)
    return entering.login_page(target, request.args.get("email", "")[:254])


def _enter(door: Door, target: str) -> AnyResponse:
    attempt = Attempt(
        email=request.form.get("email", ""),
        password=request.form.get("password", ""),
        arrival=entering.arrival("password"),
    )
    result = door.knock(engine(), attempt, clock_us())
    if result.session_id is not None:
        return entering.welcome(result.session_id, target)
    if result.wait_s:
        return entering.too_many(target, attempt.email, result.wait_s)
    return entering.login_page(target, attempt.email, WRONG, 401)


def _has_session() -> bool:
    """Asks the registry only when there is a cookie: the page must show without a registry."""
    return SESSION.name_for(settings().base_url) in request.cookies and identify() is not None


def _logout() -> AnyResponse:
    base_url = settings().base_url
    session_id = request.cookies.get(SESSION.name_for(base_url))
    if session_id:
        sessions.end(engine(), sessions.digest(session_id), clock_us())
    response = redirect("/login", 303)
    SESSION.take(response, base_url)
    return response
