"""What a rule would have told: the answer of a trial on the past. Values only."""

from dataclasses import dataclass

from app.domain.rule import Severity


@dataclass(frozen=True, slots=True)
class WouldTell:
    """One event: `event` is fired or resolved, `about` the integration, partner or series."""

    at_us: int
    event: str
    severity: Severity
    about: str
    summary: str


@dataclass(frozen=True, slots=True)
class Tried:
    """Everything that a rule would have told over `over_us`, looked at every `step_us`."""

    over_us: int
    step_us: int
    told: tuple[WouldTell, ...]

    @property
    def fired(self) -> int:
        """How often it would have fired."""
        return sum(each.event == "fired" for each in self.told)
