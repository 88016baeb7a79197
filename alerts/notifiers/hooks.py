"""Letters posted to hooks: which hook a receiver's name stands for now, and the post itself.

Its address and keys are in no row and no log. What is posted is up to each channel.
"""

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from alerts.notifiers.http import LIMIT_S, Request, post
from alerts.outbox import Letter
from alerts.speaker import Speaker
from alerts.wording import Words
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


class HookNotifier(Generic[_H]):
    """Posts what `request` makes of a letter to the hook of its receiver, one of a `kind`."""

    def __init__(
        self,
        hooks: Hooks,
        speaker: Speaker,
        kind: type[_H],
        request: Callable[[Letter, Words, _H], Request],
        limit_s: float = LIMIT_S,
    ) -> None:
        self._hooks = hooks
        self._speaker = speaker
        self._kind = kind
        self._request = request
        self._limit_s = limit_s

    def __call__(self, letter: Letter) -> None:
        """Hand a letter over; `ReceiverUnavailable` or `ReceiverRefused`."""
        target = self._hooks.of(letter.address, self._kind)
        post(self._request(letter, self._speaker.words(letter), target), self._limit_s)
