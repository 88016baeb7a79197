"""The one gate that every request passes: where from, who, and may they."""

from urllib.parse import quote

from flask import Flask, g, redirect, request
from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Response as AnyResponse

from app.auth import origin, sessions, tokens
from app.auth.caller import Caller, unauthorized
from app.auth.context import clock_us, engine, settings
from app.auth.cookie import SESSION

#: What may be asked without saying who asks.
PUBLIC_ENDPOINTS = frozenset(
    {
        "auth.login", "auth.logout", "auth.static",
        "auth.link", "auth.follow", "auth.oidc", "auth.oidc_back", "auth.incident",
        "auth.refuse_reports",
        "api.hook",
    }
)  # fmt: skip
PUBLIC_PATHS = frozenset({"/livez", "/readyz"})
#: For programs on this machine (a Prometheus, say) without a token; else the ecosystem team's.
METRICS_PATH = "/metrics"
#: Paths whose callers are programs or scripts: they get a status, not a log-in page.
_NOT_PAGES = ("/api/", "/_dash", "/_reload-hash", "/assets/", METRICS_PATH)
_LOOPBACK = frozenset({"127.0.0.1", "::1"})
_FORWARDED = (
    "Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP",
)  # fmt: skip


def install_guard(app: Flask) -> None:
    """Before every other hook of the app."""
    app.before_request(_guard)


def _guard() -> AnyResponse | None:
    _refuse_other_sites()
    if request.endpoint in PUBLIC_ENDPOINTS or request.path in PUBLIC_PATHS:
        return None
    caller = identify()
    if request.path == METRICS_PATH:
        _guard_metrics(caller)
        return None
    if caller is None:
        return _refuse()
    g.midspan_caller = caller
    return None


def identify() -> Caller | None:
    """The caller by token if one is shown, else by session cookie. A bad token is nobody, even
    beside a good cookie."""
    token = tokens.bearer(request.headers.get("Authorization"))
    if token is not None:
        return tokens.find(engine(), token, clock_us())
    session_id = request.cookies.get(SESSION.name_for(settings().base_url))
    return sessions.find(engine(), session_id, clock_us()) if session_id else None


def _refuse_other_sites() -> None:
    headers = request.headers
    if not origin.allowed(
        request.method,
        request.host,
        headers.get("Sec-Fetch-Site"),
        headers.get("Origin"),
        settings().base_url,
    ):
        raise Forbidden("this request comes from another site")


def _guard_metrics(caller: Caller | None) -> None:
    local = request.remote_addr in _LOOPBACK and not any(
        name in request.headers for name in _FORWARDED
    )
    if local:
        return
    if caller is None:
        raise unauthorized("send a token as `Authorization: Bearer`, or ask from this machine")
    if not caller.scope.covers(None):
        raise Forbidden("the counters of Midspan itself are not a partner's")


def _refuse() -> AnyResponse:
    page = request.method in {"GET", "HEAD"} and not request.path.startswith(_NOT_PAGES)
    if not page:
        raise unauthorized()
    target = request.full_path.rstrip("?")
    return redirect("/login" if target == "/" else f"/login?next={quote(target, safe='/')}")
