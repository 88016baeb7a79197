"""Direction, kind, outcome, fault and verdict: the closed vocabularies of an exchange.

Each is an `IntEnum` because the numbers are what is journaled, stored and counted; they are
therefore part of the file format and never renumbered. `word` is what people and the API read.
"""

from enum import IntEnum
from typing import Self


class Word(IntEnum):
    """An integer code that knows its public spelling."""

    @property
    def word(self) -> str:
        """The public spelling: lower case, underscores."""
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> Self:
        """The member spelled `word`; `ValueError` naming the choices otherwise."""
        try:
            return cls[word.upper()]
        except KeyError:
            choices = ", ".join(member.word for member in cls)
            raise ValueError(f"unknown {cls.__name__.lower()} {word!r}: one of {choices}") from None


class Direction(Word):
    """Who called whom."""

    OUTBOUND = 0  # platform to partner
    INBOUND = 1  # partner to platform


class Kind(Word):
    """What crossed: an API request, or a webhook (which has a topic)."""

    REQUEST = 0
    WEBHOOK = 1


class Outcome(Word):
    """What happened to an exchange."""

    OK = 0
    CLIENT_ERROR = 1
    SERVER_ERROR = 2
    TIMEOUT = 3
    CONNECT_ERROR = 4
    DNS_ERROR = 5
    TLS_ERROR = 6
    PROTOCOL_ERROR = 7
    ABORTED = 8
    REJECTED = 9


class Fault(Word):
    """Who has to act."""

    NONE = 0
    PARTNER = 1
    PLATFORM = 2
    NETWORK = 3
    CUSTOMER = 4


class Verdict(Word):
    """What an exchange counts as for an objective."""

    GOOD = 0
    BAD = 1
    EXCLUDED = 2
