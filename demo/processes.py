"""Midspan's processes and the demo's own, as commands; and how to see that one answers."""

import http.client
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from app.settings import Bind, Settings
from demo.ground import check_free, dialled
from demo.supervise import Spec

ROOT = Path(__file__).parents[1]
_ANSWER_S = 2.0

Ready = Callable[[], bool]


def python(name: str, *arguments: str, once: bool = False, aloud: bool = False) -> Spec:
    """A child that runs one of our modules."""
    return Spec(name, (sys.executable, "-m", *arguments), once, aloud)


def midspan() -> tuple[Spec, ...]:
    """The processes of the product, in the order in which they are started."""
    return (
        python("proxy", "collectors", "proxy"),
        python("loader", "collectors", "loader"),
        python("scheduler", "alerts", "run"),
        python("web", "gunicorn", "--config", str(ROOT / "gunicorn.conf.py"), "wsgi:app"),
    )


def check_ports(settings: Settings) -> None:
    """`DemoError` naming the first listening address that is taken."""
    check_free(settings.web_bind, "the pages", "MIDSPAN_WEB_BIND")
    check_free(settings.outbound_bind, "the platform-facing listener", "MIDSPAN_OUTBOUND_BIND")
    check_free(settings.inbound_bind, "the partner-facing listener", "MIDSPAN_INBOUND_BIND")


def answers(bind: Bind, path: str) -> Ready:
    """Whether `GET path` is answered with 200 there."""
    where = dialled(bind)

    def ask() -> bool:
        connection = http.client.HTTPConnection(where.host, where.port, timeout=_ANSWER_S)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return ask


def readiness(settings: Settings) -> dict[str, Ready]:
    """By process, how it shows that it works."""
    return {
        "proxy": answers(settings.outbound_bind, "/-/readyz"),
        "web": answers(settings.web_bind, "/readyz"),
    }


def child_environ(given: Mapping[str, str], settings: Settings) -> dict[str, str]:
    """The environment of a child: ours, our home spelled out, our modules importable."""
    path = os.pathsep.join(filter(None, (str(ROOT), given.get("PYTHONPATH", ""))))
    return {
        **given,
        "PYTHONPATH": path,
        "PYTHONUNBUFFERED": "1",
        "MIDSPAN_HOME": str(settings.home),
    }
