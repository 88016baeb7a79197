"""Is the home there, private, writable and roomy; is the journal being drained."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from app.cli.findings import Finding, fail, ok, size, warn
from app.commands.receiver_file import NAME, read_file
from app.settings import Settings
from app.store.port import Position

_LEAST_FREE_BYTES = 64 * 1024 * 1024
_FEW_FREE_BYTES = 1024 * 1024 * 1024
_SEGMENT = "*.seg"


def home(settings: Settings) -> Iterator[Finding]:
    """The home folder and the disk it is on."""
    if not settings.home.exists():
        yield fail("home", f"{settings.home} is not there: run python -m app migrate")
        return
    with tempfile.TemporaryFile(dir=settings.home) as file:
        file.write(b"x" * 4096)
        file.flush()
    if settings.home.stat().st_mode & 0o077:
        yield warn("home", f"others can look into it: chmod 700 {settings.home}")
    else:
        yield ok("home", f"{settings.home} is writable and private")
    yield _room(settings.home)


def receivers(settings: Settings) -> Iterator[Finding]:
    """The receiver file, where there is one: each of its problems, and who may read its secrets."""
    path = settings.home / NAME
    if not path.exists():
        return
    file = read_file(path)
    for problem in file.problems:
        yield fail("receivers", problem)
    if path.stat().st_mode & 0o077:
        yield warn("receivers", f"others can read it, and it holds secrets: chmod 600 {path}")
    elif not file.problems:
        found = file.directory
        yield ok("receivers", f"{len(found.receivers)} receivers, {len(found.routes)} routes")


def secret(settings: Settings) -> Iterator[Finding]:
    """The key that signs sessions."""
    path = settings.home / "secret"
    if settings.secret_key:
        yield ok("secret", "set by MIDSPAN_SECRET_KEY")
    elif not path.exists():
        yield ok("secret", "made when the web starts first")
    elif path.stat().st_mode & 0o077:
        yield warn("secret", f"others can read it: chmod 600 {path}")
    else:
        yield ok("secret", f"{path} is private")


def journal(settings: Settings, positions: Mapping[str, Position]) -> Iterator[Finding]:
    """What the proxies have written and the loader has not yet loaded.

    A journal that `positions` does not name counts as waiting whole.
    """
    folders = sorted(settings.journal_dir.glob("*/")) if settings.journal_dir.is_dir() else []
    if not folders:
        yield ok("journal", "empty: no proxy has written yet")
    for folder in folders:
        waiting = backlog_bytes(folder, positions.get(folder.name))
        ratio = waiting / settings.journal_max_bytes
        said = f"{size(waiting)} wait to be loaded, {ratio:.0%} of MIDSPAN_JOURNAL_MAX_BYTES"
        what = f"journal {folder.name}"
        if ratio >= 0.9:
            yield fail(what, f"{said}; exchanges will be shed: is the loader running?")
        elif ratio >= 0.1:
            yield warn(what, f"{said}: is the loader running?")
        else:
            yield ok(what, said)


def backlog_bytes(folder: Path, position: Position | None) -> int:
    """Bytes of the journal in `folder` that lie behind `position`."""
    waiting = 0
    for path in folder.glob(_SEGMENT):
        first = int(path.stem) if path.stem.isdigit() else 0
        if position is None or first > position.segment:
            waiting += path.stat().st_size
        elif first == position.segment:
            waiting += max(path.stat().st_size - position.offset, 0)
    return waiting


def _room(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    said = f"{size(free)} free on the disk of {folder}"
    if free < _LEAST_FREE_BYTES:
        return fail("disk", f"{said}: make room, exchanges are about to be shed")
    return warn("disk", f"{said}: make room soon") if free < _FEW_FREE_BYTES else ok("disk", said)
