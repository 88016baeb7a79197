"""Letters as mail: plain text and HTML that say the same, and one inline chart."""

from collections.abc import Callable

from alerts.chart import error_chart
from alerts.outbox import Letter
from alerts.render import render
from alerts.speaker import Speaker
from alerts.stages import Audience
from alerts.wording import Links, Words
from app.auth import incident_links
from app.auth.incident_links import Act
from app.mail import Inline, Mail, send
from app.settings import Settings, secret_key

_CHART = "chart"


class MailNotifier:
    """Sends by the SMTP server of the settings, or keeps mails in the outbox folder."""

    def __init__(self, settings: Settings, speaker: Speaker, clock: Callable[[], int]) -> None:
        self._settings = settings
        self._key = secret_key(settings)
        self._speaker = speaker
        self._clock = clock

    def __call__(self, letter: Letter) -> None:
        """Hand a letter over; `MailUnavailable` or `MailRefused`."""
        now_us = self._clock()
        said = self._speaker.words(letter, self._links(letter, now_us))
        send(self._settings, compose(letter, said), now_us)

    def _links(self, letter: Letter, now_us: int) -> Links | None:
        """A partner takes and silences what is its own; that it is over, the platform's side says.
        A test is about nothing that could be taken."""
        if not letter.incident:
            return None
        take, silence, resolve = (
            incident_links.path(self._key, letter.incident, letter.address, now_us, act)
            for act in (Act.ACKNOWLEDGE, Act.SILENCE, Act.RESOLVE)
        )
        return Links(take, silence, None if letter.audience == Audience.PARTNER else resolve)


def compose(letter: Letter, said: Words) -> Mail:
    """The mail that says `said`."""
    chart = error_chart(said.chart) if said.chart else None
    return Mail(
        to=letter.address,
        subject=said.subject,
        text=render("alert.txt", said),
        html=render("alert.html", said, chart_cid=_CHART if chart else None),
        message_id=letter.message_id,
        references=letter.thread_id if letter.thread_id != letter.message_id else None,
        inline=(Inline(_CHART, chart),) if chart else (),
    )
