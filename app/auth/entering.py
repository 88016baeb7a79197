"""What the ways in share: how somebody arrives, the cookie they leave with, and the plain pages."""

from flask import Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from app.auth.context import settings
from app.auth.cookie import SESSION
from app.auth.sessions import Arrival

CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


def arrival(method: str) -> Arrival:
    """How the caller of the request in progress comes in."""
    return Arrival(
        method=method,
        address=request.remote_addr or "",
        agent=request.headers.get("User-Agent", ""),
        replaces=request.cookies.get(SESSION.name_for(settings().base_url)),
    )


def welcome(session_id: str, target: str) -> AnyResponse:
    """On to `target`, with the session in the cookie."""
    response = redirect(target, 303)
    SESSION.put(response, session_id, settings().base_url)
    return response


def page(template: str, status: int = 200, **facts: object) -> Response:
    """A page that needs no script."""
    response = make_response(render_template(template, **facts), status)
    response.headers["Content-Security-Policy"] = CSP
    return response


def login_page(target: str, email: str = "", problem: str = "", status: int = 200) -> Response:
    """The log-in page, with what went wrong."""
    by_oidc = settings().oidc_issuer is not None
    return page("login.html", status, next=target, email=email, problem=problem, by_oidc=by_oidc)


def too_many(target: str, email: str, wait_s: int) -> Response:
    """The log-in page that says when to try again."""
    minutes = -(-wait_s // 60)
    wait = "a minute" if minutes == 1 else f"{minutes} minutes"
    response = login_page(target, email, f"Too many attempts. Try again in {wait}.", 429)
    response.headers["Retry-After"] = str(wait_s)
    return response
