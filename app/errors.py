"""The exceptions of Midspan. Each says in one line what is wrong and what to do about it.

`permanent` says whether trying the same thing again can help.
"""


class MidspanError(Exception):
    """Something a person can mend; shown as one line, never as a traceback.

    `retry_after_us`: how long whoever is away asked to be left alone, None when it did not say.
    """

    permanent = True
    retry_after_us: int | None = None


class SettingsError(MidspanError):
    """A setting that is unknown, unreadable or makes no sense."""


class RegistryFileError(MidspanError):
    """A registry file that was not imported; `problems` are `line: message` strings."""

    def __init__(self, message: str, problems: tuple[str, ...] = ()) -> None:
        super().__init__("\n".join((message, *problems)))
        self.problems = problems


class TableFileError(MidspanError):
    """A file of rows that was not imported; `problems` are `line N: message` strings."""

    def __init__(self, message: str, problems: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems


class SchemaError(MidspanError):
    """A database whose schema is older or newer than this code."""


class Refused(MidspanError):
    """A change that cannot be made as asked; nothing was changed."""


class NotFound(MidspanError):
    """There is no such thing, or it is not for this caller to know of."""


class BadQuery(MidspanError):
    """A question with an impossible parameter; `parameter` names it."""

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(message)
        self.parameter = parameter


class Unavailable(MidspanError):
    """A part that is away for now; trying again can help."""

    permanent = False


class StoreUnavailable(Unavailable):
    """The metrics store is locked, full or away."""


class StoreRefused(MidspanError):
    """The metrics store will not take what contradicts what it holds: a defect, not an outage."""


class RegistryUnavailable(Unavailable):
    """The registry database is locked or away."""


class MailRefused(MidspanError):
    """A mail that no server will take as it is."""


class MailUnavailable(Unavailable):
    """The mail server, or the outbox, does not take mail for now."""


class HostDenied(MidspanError):
    """A host at an address that must not be connected to."""


class HostUnavailable(Unavailable):
    """A host that cannot be reached or does not answer as it should for now."""


class HostSlow(HostUnavailable):
    """A host that did not do in time what it was asked for."""


class ReceiverRefused(MidspanError):
    """A message that its receiver will not take, however often it is sent."""


class ReceiverUnavailable(Unavailable):
    """A receiver that does not take messages for now."""

    def __init__(self, message: str, retry_after_us: int | None = None) -> None:
        super().__init__(message)
        self.retry_after_us = retry_after_us
