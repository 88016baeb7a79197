"""`python -m demo`: Midspan with everybody around it, in a home of its own."""

import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.settings import Bind, Settings, load
from demo import ground, registry
from demo.alone import addresses
from demo.cast import CAST
from demo.ground import DemoError, Ground
from demo.parts import now_us
from demo.past import RAW_US
from demo.people import PEOPLE, TOKEN_FILE
from demo.processes import check_ports, midspan, python, readiness
from demo.services import CERTIFICATES
from demo.stage import Stage, Stopped, say, table


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was asked for on the command line. None: as the environment or the default has it."""

    home: Path | None
    days: int
    seed: int
    web_port: int | None = None
    outbound_port: int | None = None
    inbound_port: int | None = None


def play(wishes: Wishes, environ: Mapping[str, str]) -> None:
    """Run the demo until asked to stop. `DemoError` when it cannot start."""
    with _home(wishes.home) as home:
        given = demo_environ(environ, home, wishes)
        settings = load(given)
        check_ports(settings)
        own = ground.read(home) or Ground(wishes.seed, now_us(), wishes.days, _passwords())
        ground.save(home, own)
        try:
            with Stage(settings, given, home / "logs") as stage:
                _start(stage, own, wishes.home is None)
                stage.watch()
        except Stopped:
            say("The demo has ended; none of its processes is left.")


def demo_environ(environ: Mapping[str, str], home: Path, wishes: Wishes) -> dict[str, str]:
    """The environment of the demo: the caller's listening addresses, nothing else of theirs.

    Databases, home, mail and secret of the caller are out of reach, also those in `midspan.env`.
    """
    binds = {name: str(_port_of(bind, port)) for name, bind, port in _binds(load(environ), wishes)}
    kept = {name: value for name, value in environ.items() if not name.startswith("MIDSPAN_")}
    web = ground.dialled(load(binds | {"MIDSPAN_HOME": str(home)}).web_bind)
    raw_hours = RAW_US // 3_600_000_000
    return kept | binds | {
        "MIDSPAN_HOME": str(home),
        "MIDSPAN_REGISTRY_URL": f"sqlite:///{home}/registry.db",
        "MIDSPAN_METRICS_URL": f"sqlite:///{home}/metrics.db",
        "MIDSPAN_INBOUND_HOSTS": "",
        "MIDSPAN_SECRET_KEY": "",
        "MIDSPAN_SMTP_URL": "",
        "MIDSPAN_PROXY_WORKERS": "1",
        "MIDSPAN_BASE_URL": f"http://{web}",
        "MIDSPAN_EXCHANGE_RETENTION": f"{raw_hours}h",
        "MIDSPAN_CAPTURE_RETENTION": f"{raw_hours}h",
        "SSL_CERT_FILE": str(CERTIFICATES / "authority.pem"),
    }  # fmt: skip


def _binds(settings: Settings, wishes: Wishes) -> tuple[tuple[str, Bind, int | None], ...]:
    return (
        ("MIDSPAN_WEB_BIND", settings.web_bind, wishes.web_port),
        ("MIDSPAN_OUTBOUND_BIND", settings.outbound_bind, wishes.outbound_port),
        ("MIDSPAN_INBOUND_BIND", settings.inbound_bind, wishes.inbound_port),
    )


def _port_of(bind: Bind, port: int | None) -> Bind:
    return bind if port is None else Bind(bind.host, port)


@contextmanager
def _home(chosen: Path | None) -> Iterator[Path]:
    if chosen is not None:
        try:
            chosen.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise DemoError(f"cannot use --home {chosen}: {error.strerror}") from error
        yield chosen.absolute()
        return
    home = Path(tempfile.mkdtemp(prefix="midspan-demo-"))
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _start(stage: Stage, own: Ground, throw_away: bool) -> None:
    """Everything in its order: traffic flows before anybody can look, history comes last."""
    home, ready = stage.settings.home, readiness(stage.settings)
    say(f"Starting Midspan in {home}{' (removed at the end)' if throw_away else ''} …")
    # A kept home's ports may have been taken since; within one run a restart keeps them.
    (home / ground.PORTS_FILE).unlink(missing_ok=True)
    stage.start(python("services", "demo", "services"))
    stage.await_ready("services", lambda: len(ground.read_ports(home)) > len(CAST))
    ports = ground.read_ports(home)
    ground.write_whole(home / ground.REGISTRY_FILE, registry.document(own.seed, ports))
    stage.run("demo", "prepare")
    proxy, *others = midspan()
    stage.start(proxy)
    stage.await_ready("proxy", ready["proxy"])
    stage.start(python("traffic", "demo", "traffic"), *others)
    stage.run("demo", "admit")
    stage.await_ready("web", ready["web"])
    _welcome(stage, own)
    stage.start(python("backfill", "demo", "backfill", once=True, aloud=True))


def _passwords() -> dict[str, str]:
    return {person.email: f"demo-{secrets.token_hex(4)}" for person in PEOPLE}


def _welcome(stage: Stage, own: Ground) -> None:
    token = (stage.settings.home / TOKEN_FILE).read_text().strip()
    where = addresses(stage.settings)
    health = f"{where[0][1]}/api/v1/integrations/umbrella-ci/health?window=1h"
    say("Midspan is running, with a simulated platform and eight partners. Ctrl-C ends it.")
    table(where)
    say("Log in as")
    table([(each.email, f"{own.passwords[each.email]}  {each.about}") for each in PEOPLE])
    say("Ask the API")
    say(f"  curl -H 'Authorization: Bearer {token}' '{health}'")
