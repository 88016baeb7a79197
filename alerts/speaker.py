"""Whoever puts letters into words: knows the house, and who may hear of money."""

from collections.abc import Callable
from dataclasses import dataclass

from alerts.outbox import Letter
from alerts.stages import ECOSYSTEM_TEAM, Audience
from alerts.wording import Links, Words, words
from app.domain.alert_route import NO_ROUTES, Directory


@dataclass(frozen=True, slots=True)
class Speaker:
    """Says what is in a letter, as far as its reader may know it.

    Money is for the ecosystem team, for a partner about its own, and for receivers of the file that
    say so: a channel of another company's chat, or a shift that is bought in, learns none of it.
    """

    base_url: str
    platform: Callable[[], str]
    directory: Callable[[], Directory] = lambda: NO_ROUTES

    def words(self, letter: Letter, links: Links | None = None) -> Words:
        """What to say. `links` are those of its one reader."""
        return words(letter, self.base_url, self.platform(), links, money=self.hears_money(letter))

    def hears_money(self, letter: Letter) -> bool:
        """Whether the letter's receiver may know what an integration earns."""
        if letter.audience == Audience.PARTNER or letter.receiver == ECOSYSTEM_TEAM:
            return True
        return letter.receiver in self.directory().money
