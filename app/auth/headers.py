"""What every answer tells the browser about how far to trust it."""

from flask import Flask, current_app, request
from werkzeug.wrappers import Response

from app.auth.context import settings

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
_NOTHING = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_HSTS = "max-age=31536000"
#: Files that are the same for everybody and may be kept by the browser.
_STATIC = ("/_dash-component-suites/", "/assets/", "/login/static/", "/_favicon.ico")


def install_headers(app: Flask) -> None:
    """On every answer, errors included."""
    app.after_request(_protect)


def _protect(response: Response) -> Response:
    for name, value in _ALWAYS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Content-Security-Policy", _policy(response))
    if settings().base_url.startswith("https://"):
        response.headers.setdefault("Strict-Transport-Security", _HSTS)
    if not request.path.startswith(_STATIC):
        # With an ETag a caller may keep the answer, and has to ask whether it still holds.
        kept = "ETag" in response.headers and request.path.startswith("/api/")
        response.headers["Cache-Control"] = "private, no-cache" if kept else "no-store"
        response.vary.add("Cookie")
        response.vary.add("Authorization")
    return response


def _policy(response: Response) -> str:
    """Pages may run our scripts and the inline ones whose digests the pages name; styles stay
    loose, because the components write them inline. Anything else may do nothing."""
    if response.mimetype != "text/html":
        return _NOTHING
    digests = "".join(f" {each}" for each in current_app.extensions["midspan"].csp_hashes())
    return (
        f"default-src 'self'; script-src 'self'{digests}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; "
        "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; "
        "frame-ancestors 'none'"
    )
