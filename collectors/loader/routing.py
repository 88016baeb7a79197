"""The two ends of the routing file: read for its templates, written when the registry changes."""

import os
from pathlib import Path

from sqlalchemy import Engine

from app import logs
from app.commands import revision, routing
from app.db import reading, registry_engine
from app.domain.route import RouteTable, decode_table
from app.errors import MidspanError
from collectors.loader.status import Status

_Stamp = tuple[int, int, int]


class RoutesFile:
    """The routing table as published, read again when the file has changed."""

    def __init__(self, path: Path, status: Status) -> None:
        self._path = path
        self._status = status
        self._seen: _Stamp | None = None
        self._log = logs.get("routes")

    def changed(self) -> RouteTable | None:
        """The table, if there is another one than at the last call. A file that cannot be read
        changes nothing and is counted."""
        stamp = self._stamp()
        if stamp == self._seen or stamp is None:
            return None
        self._seen = stamp
        try:
            table = decode_table(self._path.read_bytes())
        except (OSError, ValueError) as error:
            self._status.failures["routes_unreadable"] += 1
            self._log.error("routes_unreadable", path=str(self._path), reason=str(error))
            return None
        self._status.routes_revision = table.revision
        return table

    def _stamp(self) -> _Stamp | None:
        try:
            found = os.stat(self._path)
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


class Publisher:
    """Keeps the routing file in step with the registry. Called twice a second, from a thread."""

    def __init__(self, registry_url: str, path: Path, status: Status) -> None:
        self._engine: Engine = registry_engine(registry_url)
        self._path = path
        self._status = status
        self._published: int | None = None
        self._failing = ""
        self._log = logs.get("publisher")

    def publish(self) -> None:
        """Publish, if the registry's revision is another than the one published last."""
        try:
            with reading(self._engine) as session:
                found = revision.current(session)
            if found != self._published or not self._path.exists():
                if routing.publish(self._engine, self._path):
                    self._log.info("routes_published", revision=found)
                self._published = found
        except MidspanError as error:
            self._failed("registry_unavailable", str(error))
        except OSError as error:
            self._failed("publish_failed", f"{self._path}: {error.strerror}")
        else:
            self._recovered()

    def _failed(self, reason: str, words: str) -> None:
        self._status.failures[reason] += 1
        if self._failing != reason:
            self._failing = reason
            self._log.warning(reason, reason=words)

    def _recovered(self) -> None:
        if self._failing:
            self._log.info("registry_back")
            self._failing = ""
