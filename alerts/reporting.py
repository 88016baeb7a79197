"""The weekly report: on Monday morning, to the contacts of every partner that had traffic.

It tells a partner how its own integrations did, calm weeks too, and nothing of anybody else's.
Whoever wants none takes themselves off by the link in it. What cannot be sent is tried again for
two days; then the week is old news.
"""

from collections.abc import Callable

from alerts.dispatch import retry_delay_us
from alerts.render import render
from alerts.weekly import WeeklyWords, weekly_words
from app.auth import report_links
from app.auth.caller import own_scope
from app.commands.reports import DueReport, plan_reports, settle_report, take_reports
from app.domain.window import DAY_US, HOUR_US, WEEK_US, Window
from app.errors import MidspanError
from app.logs import get as get_logger
from app.mail import Mail, send
from app.queries import Reading, list_partners
from app.queries.weekly import partner_week, week_before
from app.settings import Settings, secret_key

#: How often it is looked whether a report is due.
TURN_S = 60.0
#: After midnight, when the hours of Sunday are folded and somebody is about to read it.
_FROM_US = 6 * HOUR_US
_UNTIL_US = 2 * DAY_US
_AT_ONCE = 20


class Reporter:
    """Plans and sends the reports of the last week. `host` stands behind the @ of message ids."""

    def __init__(
        self, settings: Settings, reading: Reading, platform: Callable[[], str], host: str
    ) -> None:
        self._settings = settings
        self._key = secret_key(settings)
        self._reading = reading
        self._platform = platform
        self._host = host
        self._planned: Window | None = None
        self._log = get_logger("reports")

    def turn(self) -> int:
        """Plan when it is time, send what is due; how many were sent."""
        now_us = self._reading.clock()
        week = week_before(now_us)
        if not _FROM_US <= now_us - week.end_us < _UNTIL_US:
            return 0
        if self._planned != week:
            self._plan(week, now_us)
            self._planned = week
        taken = take_reports(self._reading.engine, now_us, _AT_ONCE)
        return sum(self._send(report) for report in taken)

    def _plan(self, week: Window, now_us: int) -> None:
        scope = own_scope()
        busy = [
            each.slug
            for each in list_partners(self._reading, scope)
            if partner_week(self._reading, scope, each.slug, week) is not None
        ]
        planned = plan_reports(self._reading.engine, busy, week.start_us, now_us, self._host)
        self._log.info("planned", week_us=week.start_us, partners=len(busy), reports=planned)

    def _send(self, report: DueReport) -> bool:
        engine, clock = self._reading.engine, self._reading.clock
        try:
            mail = self._compose(report)
            if mail is not None:
                send(self._settings, mail, clock())
        except MidspanError as error:
            wait_us = retry_delay_us(report.attempts + 1, report.message_id)
            again_us = None if error.permanent else clock() + wait_us
            settle_report(engine, report, clock(), error=str(error)[:1000], retry_us=again_us)
            self._log.warning("not_sent", message=report.message_id, reason=str(error))
            return False
        gone = "" if mail is not None else "its integrations are gone"
        settle_report(engine, report, clock(), error=gone)
        return mail is not None

    def _compose(self, report: DueReport) -> Mail | None:
        week = Window(report.week_us, report.week_us + WEEK_US)
        found = partner_week(self._reading, own_scope(), report.partner, week)
        if found is None:
            return None
        link = report_links.path(self._key, report.partner, report.address)
        said = weekly_words(found, self._settings.base_url, self._platform(), link)
        return compose(report, said)


def compose(report: DueReport, said: WeeklyWords) -> Mail:
    """The mail that says `said`."""
    return Mail(
        to=report.address,
        subject=said.subject,
        text=render("weekly.txt", said),
        html=render("weekly.html", said),
        message_id=report.message_id,
        unsubscribe_url=said.unsubscribe_url,
    )
