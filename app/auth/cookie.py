"""Our cookies: out of reach of scripts, of other sites, and over https of plain http."""

from dataclasses import dataclass

from werkzeug.wrappers import Response

from app.auth.sessions import ABSOLUTE_US
from app.domain.window import MINUTE_US, SECOND_US


@dataclass(frozen=True, slots=True)
class Cookie:
    """One of them; the browser forgets it after `life_us`."""

    name: str
    life_us: int

    def name_for(self, base_url: str) -> str:
        """`__Host-` makes a browser insist on https, this host and the whole path."""
        return f"__Host-{self.name}" if _secure(base_url) else self.name

    def put(self, response: Response, value: str, base_url: str) -> None:
        """Hand it to the browser."""
        response.set_cookie(
            self.name_for(base_url),
            value,
            max_age=self.life_us // SECOND_US,
            path="/",
            secure=_secure(base_url),
            httponly=True,
            samesite="Lax",
        )

    def take(self, response: Response, base_url: str) -> None:
        """Take it back."""
        response.delete_cookie(
            self.name_for(base_url),
            path="/",
            secure=_secure(base_url),
            httponly=True,
            samesite="Lax",
        )


#: The id of a session.
SESSION = Cookie("midspan_session", ABSOLUTE_US)
#: What marks the browser that asked for a link.
BROWSER = Cookie("midspan_browser", 10 * MINUTE_US)
#: What a browser carries to the OpenID provider and back.
FLOW = Cookie("midspan_flow", 10 * MINUTE_US)


def _secure(base_url: str) -> bool:
    return base_url.startswith("https://")
