"""All journals of a home, read on together from where the store says they stand."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from app import logs
from app.errors import Unavailable
from app.store.port import Position
from collectors import journal
from collectors.journal import Reader, Skip
from collectors.journal.frame import Frame
from collectors.journal.segments import segment_sizes


class Gathered(NamedTuple):
    """New frames of all journals; where each read one will stand once they are committed; and
    what was passed over, by reason, as records and as bytes (`damaged`, `damaged_bytes`)."""

    frames: list[Frame]
    positions: dict[str, Position]
    skipped: Counter[str]


class Tail:
    """Reads the journals under `root`, new ones too. To the store a journal is
    `<instance>/<folder>`, so that homes that share a store do not share positions."""

    def __init__(self, root: Path, instance: str) -> None:
        self._root = root
        self._instance = instance
        self._committed: dict[str, Position] = {}
        self._readers: dict[str, Reader] = {}
        self._unreadable: set[str] = set()
        self._turn = 0
        self._log = logs.get("tail")

    def resume(self, positions: Mapping[str, Position]) -> None:
        """Go on from where the store stands."""
        self._committed = dict(positions)

    def discover(self) -> None:
        """Take up journals that are new."""
        for folder in journal.journals(self._root):
            name = self._name(folder)
            if name not in self._readers:
                at = self._committed.get(name)
                start = journal.Position(at.segment, at.offset, at.sequence) if at else None
                self._readers[name] = Reader(folder, start)

    def read(self, max_frames: int, max_bytes: int) -> Gathered:
        """What is new, at most `max_frames` in all, journals taking turns at being first."""
        gathered = Gathered([], {}, Counter())
        names = list(self._readers)
        self._turn += 1
        for index in range(len(names)):
            name = names[(self._turn + index) % len(names)]
            room = max_frames - len(gathered.frames)
            if room <= 0:
                break
            self._read_one(name, gathered, room, max_bytes)
        return gathered

    def committed(self, positions: Mapping[str, Position]) -> None:
        """The store has everything before `positions`: delete segments that hold nothing else."""
        for name, at in positions.items():
            self._committed[name] = at
            self._readers[name].drop_loaded(journal.Position(at.segment, at.offset, at.sequence))

    def lag_bytes(self) -> int:
        """Bytes in all journals that are not committed yet."""
        return sum(
            _bytes_after(folder, self._committed.get(self._name(folder)))
            for folder in journal.journals(self._root)
        )

    def _name(self, folder: Path) -> str:
        return f"{self._instance}/{folder.name}"

    def _read_one(self, name: str, gathered: Gathered, max_frames: int, max_bytes: int) -> None:
        reader = self._readers[name]
        before = reader.position
        try:
            result = reader.read(max_frames, max_bytes)
        except Unavailable as error:
            gathered.skipped["journal_unreadable"] += 1
            if name not in self._unreadable:
                self._unreadable.add(name)
                self._log.error("journal_unreadable", journal=name, reason=str(error))
            return
        self._unreadable.discard(name)
        gathered.frames.extend(result.frames)
        for skip in result.skipped:
            self._note(name, skip, gathered.skipped)
        if result.position != before:
            gathered.positions[name] = Position(*result.position)

    def _note(self, name: str, skip: Skip, skipped: Counter[str]) -> None:
        skipped[skip.reason] += skip.records
        skipped[f"{skip.reason}_bytes"] += skip.bytes
        self._log.warning("journal_skipped", journal=name, **skip._asdict())


def _bytes_after(folder: Path, at: Position | None) -> int:
    sizes = segment_sizes(folder)
    if at is None:
        return sum(sizes.values())
    ahead = sum(size for first, size in sizes.items() if first > at.segment)
    return ahead + max(0, sizes.get(at.segment, 0) - at.offset)
