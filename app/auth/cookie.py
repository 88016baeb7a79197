"""The session cookie: out of reach of scripts, of other sites, and over https of plain http."""

from werkzeug.wrappers import Response

from app.auth.sessions import ABSOLUTE_US
from app.domain.window import SECOND_US

_NAME = "midspan_session"


def name_for(base_url: str) -> str:
    """`__Host-` makes a browser insist on https, this host and the whole path."""
    return f"__Host-{_NAME}" if _secure(base_url) else _NAME


def put(response: Response, session_id: str, base_url: str) -> None:
    """Hand the id to the browser."""
    response.set_cookie(
        name_for(base_url),
        session_id,
        max_age=ABSOLUTE_US // SECOND_US,
        path="/",
        secure=_secure(base_url),
        httponly=True,
        samesite="Lax",
    )


def take(response: Response, base_url: str) -> None:
    """Take it back."""
    response.delete_cookie(
        name_for(base_url),
        path="/",
        secure=_secure(base_url),
        httponly=True,
        samesite="Lax",
    )


def _secure(base_url: str) -> bool:
    return base_url.startswith("https://")
