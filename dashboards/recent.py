"""Answers that several viewers ask for at the same time, asked once.

Every page names the integrations beside it and many people look at the overview: what takes tens of
milliseconds is shared for a few seconds by callers of the same reach. Two of them at once wait for
one answer. A failure is shared by those who waited and not remembered.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")
#: Answers kept, the longest unused go first: lists and charts of what is looked at now.
_MOST = 512


class Recent(Generic[T]):
    """Answers by question. Safe to share between threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._slots: OrderedDict[Hashable, _Slot[T]] = OrderedDict()

    def ask(self, question: Hashable, max_age_s: float, answer: Callable[[], T]) -> T:
        """What `answer()` gives, or gave at most `max_age_s` ago to the same question."""
        with self._lock:
            slot = self._slots.setdefault(question, _Slot())
            self._slots.move_to_end(question)
            while len(self._slots) > _MOST:
                self._slots.popitem(last=False)
        with slot.lock:
            if slot.value is None or self._clock() - slot.at_s > max_age_s:
                slot.value = (answer(),)
                slot.at_s = self._clock()
            return slot.value[0]


class _Slot(Generic[T]):
    def __init__(self) -> None:
        self.lock = Lock()
        self.value: tuple[T] | None = None
        self.at_s = 0.0
