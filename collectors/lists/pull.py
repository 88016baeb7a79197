"""Pulling what is due: each list is claimed, read through, and taken whole or not at all."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import Engine

from app import logs
from app.commands import partner_lists
from app.commands.partner_lists import ListRefused, Source
from app.db import reading, registry_engine, transaction
from app.domain.partner_list import ListFailure, ListState
from app.domain.window import SECOND_US
from app.errors import Unavailable
from app.settings import Settings
from collectors.lists.fetch import fetch
from collectors.lists.walk import Walk

#: How many turns go on at the same time: a partner that is slow holds up few others.
AT_ONCE = 4
_LONGEST_TOKEN = 4_096


@dataclass(frozen=True, slots=True)
class Limits:
    """What one list may take, all pages together."""

    bytes: int
    pages: int
    time_us: int

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        """Those of the settings."""
        return cls(settings.list_bytes, settings.list_pages, settings.list_timeout_us)


class Puller:
    """One for each registry; any number of threads may take turns. `count(reason)` counts turns
    that could not be made and, as `list_<failure>`, lists that were not taken."""

    def __init__(
        self,
        registry_url: str,
        limits: Limits,
        count: Callable[[str], None],
        clock: Callable[[], int],
    ) -> None:
        self._engine: Engine = registry_engine(registry_url)
        self._limits = limits
        self._count = count
        self._clock = clock
        self._log = logs.get("lists")

    def turn(self) -> int:
        """Pull what is due and nobody else pulls; how many lists were taken. With the registry away
        it is done later."""
        try:
            with reading(self._engine) as session:
                due = partner_lists.due(session, self._clock())
            return sum(self._one(source) for source in due)
        except Unavailable as error:
            self._count("lists_postponed")
            self._log.warning("lists_postponed", reason=str(error))
            return 0

    def _one(self, source: Source) -> bool:
        with transaction(self._engine) as session:
            if not partner_lists.claim(session, source, now_us=self._clock()):
                return False
        try:
            listed = pulled(source, self._limits)
        except ListRefused as error:
            self._refused(source, error)
            return False
        with transaction(self._engine) as session:
            partner_lists.take(session, source.slug, listed, now_us=self._clock())
        self._log.info("list_taken", integration=source.slug, installations=len(listed))
        return True

    def _refused(self, source: Source, error: ListRefused) -> None:
        self._count(f"list_{error.failure}")
        self._log.warning(
            "list_not_taken", integration=source.slug, failure=str(error.failure), reason=str(error)
        )
        with transaction(self._engine) as session:
            partner_lists.note(
                session, source.slug, error.failure, str(error), now_us=self._clock()
            )


def pulled(source: Source, limits: Limits) -> dict[str, ListState]:
    """The whole list; `ListRefused`."""
    token = _token(source.token_file)
    get = partial(fetch, token=token, private=source.private)
    walk = Walk(source.url, limits.pages)
    until_s, left = time.monotonic() + limits.time_us / SECOND_US, limits.bytes
    while walk.at is not None:
        body = get(walk.at, most_bytes=left, limit_s=until_s - time.monotonic())
        left -= len(body)
        walk.take(body)
    return walk.whole()


def _token(path: str | None) -> str | None:
    """What the file holds; neither it nor a part of it stands in an error."""
    if path is None:
        return None
    try:
        with Path(path).open("rb") as file:
            token = file.read(_LONGEST_TOKEN + 1).strip()
    except OSError as error:
        said = f"its token file cannot be read: {error.strerror}"
        raise ListRefused(ListFailure.NO_TOKEN, said) from None
    text = token.decode("ascii", "replace")
    if not 0 < len(token) <= _LONGEST_TOKEN or not text.isascii() or not text.isprintable():
        said = f"its token file must hold one line of 1 to {_LONGEST_TOKEN:,} ASCII characters"
        raise ListRefused(ListFailure.NO_TOKEN, said)
    return text
