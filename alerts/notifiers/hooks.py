"""Which hook a receiver's name stands for now. Its address and keys are in no row and no log."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from app.domain.receiver import Hook, Target
from app.errors import ReceiverRefused

_H = TypeVar("_H", bound=Hook)


class Hooks:
    """Looks receivers up as they are configured at that time."""

    def __init__(self, targets: Callable[[], Mapping[str, Target]]) -> None:
        self._targets = targets

    def of(self, name: str, kind: type[_H]) -> _H:
        """The hook called `name`; `ReceiverRefused` when there is none of that kind any more."""
        target = self._targets().get(name)
        if not isinstance(target, kind):
            raise ReceiverRefused(f"receiver {name!r} is no longer configured")
        return target
