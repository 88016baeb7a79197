"""What the processes of one demo share: `demo.json` in its home.

A kept home (`--home`) remembers its seed, start, ports and passwords, so that starting it again
goes on where it was left.
"""

import json
import os
import socket
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path

from app.errors import MidspanError
from app.settings import Bind
from demo.model import Model

GROUND_FILE, PORTS_FILE, REGISTRY_FILE = "demo.json", "services.json", "registry.yaml"


class DemoError(MidspanError):
    """Why the demo cannot start, and what to do about it."""


@dataclass(frozen=True, slots=True)
class Ground:
    """`anchor_us` is when the demo first started; `passwords` maps log-ins to theirs."""

    seed: int
    anchor_us: int
    days: int
    passwords: Mapping[str, str] = field(default_factory=dict)

    @property
    def model(self) -> Model:
        """How everybody behaves."""
        return Model(self.seed, self.anchor_us)


def save(home: Path, ground: Ground) -> None:
    """Write it, readable by its owner only."""
    write_whole(home / GROUND_FILE, json.dumps(asdict(ground), indent=1))


def read(home: Path) -> Ground | None:
    """What a home remembers; None if no demo has run in it."""
    path = home / GROUND_FILE
    try:
        return Ground(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise DemoError(f"cannot read {path}: {error}; choose another --home") from error


def read_ports(home: Path) -> dict[str, int]:
    """The ports of the simulated services; empty before they have started once."""
    try:
        found: dict[str, int] = json.loads((home / PORTS_FILE).read_text())
    except FileNotFoundError:
        return {}
    return found


def write_whole(path: Path, text: str) -> None:
    """Put a file in place at once, mode 0600."""
    beside = path.with_suffix(path.suffix + ".new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    beside.replace(path)


def check_free(bind: Bind, purpose: str, setting: str) -> None:
    """`DemoError` naming port and setting when the address cannot be listened on."""
    family = socket.AF_INET6 if ":" in bind.host else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((bind.host, bind.port))
        except OSError as error:
            advice = f"stop what uses it, or set {setting} to another host:port"
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise DemoError(
                f"port {bind.port} is not free for {purpose} ({bind}: {reason}): {advice}"
            ) from error


def dialled(bind: Bind) -> Bind:
    """Where to reach a listener: loopback if it listens on every address."""
    return Bind({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bind.host, bind.host), bind.port)
