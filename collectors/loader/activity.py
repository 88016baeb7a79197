"""Rows into what each installation did on each day. Pure.

Like `aggregate`: one sort of packed keys and sums over runs; in Python, no more per exchange than
taking its numbers out of the row.
"""

from collections.abc import Iterable, Sequence
from itertools import count
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.domain.window import DAY_US
from app.domain.words import Fault, Verdict
from app.store.activity import Activity
from app.store.port import StoredExchange

_AT = {name: position for position, name in enumerate(StoredExchange._fields)}
_integration = itemgetter(_AT["integration"])
_installation = itemgetter(_AT["installation"])
_customer = itemgetter(_AT["customer"])
_FAULTS = (Fault.PARTNER, Fault.PLATFORM, Fault.NETWORK, Fault.CUSTOMER)

Ints = NDArray[np.int64]


def activity(rows: Sequence[StoredExchange]) -> Activity:
    """What `rows` add to the activity; each (installation, direction, kind, day) once. Rows that
    name no installation add nothing."""
    if not all(map(_installation, rows)):
        rows = [row for row in rows if _installation(row)]
    if not rows:
        return Activity()
    slugs, slug_of = _number(map(_integration, rows))
    names, name_of = _number(map(_installation, rows))
    pairs, who = np.unique(slug_of * len(names) + name_of, return_inverse=True)
    owner, name = np.divmod(pairs, len(names))
    return Activity(
        tuple(slugs),
        owner.astype(np.int32),
        tuple(map(names.__getitem__, name.tolist())),
        _customers(rows, who, len(pairs)),
        who.astype(np.int32),
        *_columns(rows),
    ).merged()


def _columns(rows: Sequence[StoredExchange]) -> tuple[Any, Any, Any, Any, Any]:
    """Direction, kind, day, counts and times of single exchanges."""

    def column(name: str) -> Ints:
        return np.fromiter(map(itemgetter(_AT[name]), rows), np.int64, len(rows))

    started_us, fault, verdict = column("started_us"), column("fault"), column("verdict")
    good = verdict == Verdict.GOOD
    good_us = np.where(good, started_us, 0)
    counts = [np.ones(len(rows), np.bool_), good, verdict == Verdict.BAD]
    counts += [fault == each for each in _FAULTS]
    return (
        column("direction").astype(np.int8),
        column("kind").astype(np.int8),
        (started_us // DAY_US).astype(np.int32),
        np.stack(counts).astype(np.int32),
        np.stack([started_us, started_us, good_us, good_us]),
    )


def _customers(rows: Sequence[StoredExchange], who: Ints, size: int) -> tuple[str, ...]:
    """The customer told of each installation, by any of its rows."""
    customers = list(map(_customer, rows))
    place = np.full(size, len(rows))
    told = np.flatnonzero(np.fromiter(map(bool, customers), np.bool_, len(rows)))
    place[who[told]] = told
    customers.append("")
    return tuple(map(customers.__getitem__, place.tolist()))


def _number(texts: Iterable[str]) -> tuple[list[str], Ints]:
    """The distinct texts in order of appearance, and for each text its number, shape (n,)."""
    found = list(texts)
    numbers = dict(zip(dict.fromkeys(found), count(), strict=False))
    return list(numbers), np.fromiter(map(numbers.__getitem__, found), np.int64, len(found))
