"""The log-in page and the way out. Plain HTML: it works without scripts and before the app does."""

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from app.auth import cookie, sessions
from app.auth.context import clock_us, engine, settings
from app.auth.guard import identify
from app.auth.local import local_target
from app.auth.login import Attempt, Door, Result

CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
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
    return pages


def _login(door: Door) -> AnyResponse:
    target = local_target(request.values.get("next"))
    if request.method == "POST":
        return _enter(door, target)
    if _has_session():
        return redirect(target)
    return _page(target)


def _enter(door: Door, target: str) -> AnyResponse:
    base_url = settings().base_url
    attempt = Attempt(
        email=request.form.get("email", ""),
        password=request.form.get("password", ""),
        address=request.remote_addr or "",
        replaces=request.cookies.get(cookie.name_for(base_url)),
    )
    result = door.knock(engine(), attempt, clock_us())
    if result.session_id is None:
        return _refused(target, attempt.email, result)
    response = redirect(target, 303)
    cookie.put(response, result.session_id, base_url)
    return response


def _refused(target: str, email: str, result: Result) -> AnyResponse:
    if not result.wait_s:
        return _page(target, email, WRONG, status=401)
    minutes = -(-result.wait_s // 60)
    wait = "a minute" if minutes == 1 else f"{minutes} minutes"
    response = _page(target, email, f"Too many attempts. Try again in {wait}.", status=429)
    response.headers["Retry-After"] = str(result.wait_s)
    return response


def _page(target: str, email: str = "", problem: str = "", status: int = 200) -> Response:
    body = render_template("login.html", next=target, email=email, problem=problem)
    response = make_response(body, status)
    response.headers["Content-Security-Policy"] = CSP
    return response


def _has_session() -> bool:
    """Asks the registry only when there is a cookie: the page must show without a registry."""
    return cookie.name_for(settings().base_url) in request.cookies and identify() is not None


def _logout() -> AnyResponse:
    base_url = settings().base_url
    session_id = request.cookies.get(cookie.name_for(base_url))
    if session_id:
        sessions.end(engine(), sessions.digest(session_id), clock_us())
    response = redirect("/login", 303)
    cookie.take(response, base_url)
    return response
