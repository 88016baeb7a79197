"""`python -m demo run`: Midspan alone, on the user's own home, registry and traffic."""

import sys
from collections.abc import Mapping
from pathlib import Path

from app.domain.route import RouteTable, decode_table
from app.settings import Settings, load
from demo.ground import dialled
from demo.processes import check_ports, midspan, readiness
from demo.stage import Stage, Stopped, say, table

_IMPORT = "-m app import registry.yaml"
_USER = "-m app user add you@example.com --role admin"


def run(environ: Mapping[str, str]) -> None:
    """Run until asked to stop. `DemoError` when it cannot start."""
    settings = load(environ)
    check_ports(settings)
    try:
        with Stage(settings, environ, None) as stage:
            say(f"Starting Midspan in {settings.home} …")
            stage.run("app", "migrate")
            stage.start(*midspan())
            for name, ready in readiness(settings).items():
                stage.await_ready(name, ready)
            _welcome(stage)
            stage.watch()
    except Stopped:
        say("Midspan has ended; none of its processes is left.")


def _welcome(stage: Stage) -> None:
    settings = stage.settings
    say("Midspan is running. Ctrl-C ends it.")
    table(addresses(settings))
    if not _published(settings).routes:
        say(f"  The registry is empty. Next, in another terminal: {_python()} {_IMPORT}")
    if len(stage.run("app", "user", "list").splitlines()) <= 1:  # the heading
        say(f"  Nobody can log in yet. Next, in another terminal: {_python()} {_USER}")


def addresses(settings: Settings) -> list[tuple[str, str]]:
    """Where Midspan listens, for people."""
    outbound, inbound = dialled(settings.outbound_bind), dialled(settings.inbound_bind)
    return [
        ("Pages and API", f"http://{dialled(settings.web_bind)}"),
        ("Platform calls", f"http://{outbound}/<integration>/<path>"),
        ("Platform sends webhooks", f"http://{outbound}/<integration>/-/webhooks/<topic>"),
        ("Partners call", f"http://{inbound}/<path>"),
        ("Home", str(settings.home)),
    ]


def _published(settings: Settings) -> RouteTable:
    try:
        return decode_table(settings.routes_path.read_bytes())
    except (OSError, ValueError):
        return RouteTable(0, "", None, ())


def _python() -> str:
    """How a person in this folder calls this interpreter."""
    path = Path(sys.executable)
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
