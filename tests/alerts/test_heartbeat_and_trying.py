"""The sign of life, withheld while nobody evaluates; and test messages to receivers."""

import json
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from alerts.heartbeat import Heartbeat
from alerts.notifiers.hooks import HookNotifier, Hooks
from alerts.notifiers.mail import MailNotifier
from alerts.notifiers.pagerduty import pagerduty_request
from alerts.speaker import Speaker
from alerts.trying import try_receivers
from app.commands.receivers import ask_for_test, read_receivers
from app.db import reading
from app.domain.receiver import PagerDuty
from app.errors import ReceiverUnavailable, SettingsError
from app.models import ReceiverTest
from app.settings import load
from tests.alerts.receiving import HookServer, MailServer
from tests.app.web_world import EVERYTHING
from tests.contract.worlds import NOW_US

HOUR_S = 3600.0


@pytest.fixture
def hook() -> Iterator[HookServer]:
    server = HookServer()
    yield server
    server.close()


@pytest.fixture
def post() -> Iterator[MailServer]:
    server = MailServer()
    yield server
    server.close()


def settings(tmp_path, **given: str):
    home = {"MIDSPAN_HOME": str(tmp_path), "MIDSPAN_BASE_URL": "https://midspan.example"}
    return load(home | given, tmp_path / "none.env")


def evaluated(tmp_path, ago_s: float) -> None:
    (tmp_path / "status").mkdir(exist_ok=True)
    at_us = NOW_US - int(ago_s * 1_000_000)
    (tmp_path / "status" / "alerts.json").write_text(json.dumps({"evaluated_us": at_us}))


class Time:
    """Monotonic seconds that are moved by hand."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


def test_a_ping_goes_out_at_its_interval_while_rules_are_evaluated(hook, tmp_path):
    seconds = Time()
    beat = Heartbeat(settings(tmp_path, MIDSPAN_HEARTBEAT=hook.url), lambda: NOW_US, seconds)
    assert not beat.turn(), "nothing was evaluated yet"
    evaluated(tmp_path, 44)
    hook.says = ["204"] * 9
    assert [beat.turn(), beat.turn()] == [True, False]
    seconds.now_s += HOUR_S - 1
    assert not beat.turn()
    seconds.now_s += 1
    evaluated(tmp_path, 46)
    assert not beat.turn(), "evaluation is late: whoever waits is to notice"
    evaluated(tmp_path, 1)
    assert beat.turn()
    assert len(hook.says) == 7


def test_a_ping_that_failed_is_tried_again_at_the_next_turn(hook, tmp_path):
    evaluated(tmp_path, 1)
    beat = Heartbeat(settings(tmp_path, MIDSPAN_HEARTBEAT=hook.url), lambda: NOW_US, Time())
    hook.says = ["500", "204"]
    with pytest.raises(ReceiverUnavailable) as caught:
        beat.turn()
    assert "s3cret" not in str(caught.value)
    assert beat.turn()


def test_it_may_be_a_mail(post, tmp_path):
    evaluated(tmp_path, 1)
    given = {"MIDSPAN_HEARTBEAT": "mailto:ops@acme.example", "MIDSPAN_SMTP_URL": post.url}
    assert Heartbeat(settings(tmp_path, **given), lambda: NOW_US, Time()).turn()
    [got] = post.taken
    assert (got.headers["To"], got.headers["Subject"]) == (
        "ops@acme.example",
        "Midspan is watching",
    )


@pytest.mark.parametrize("wrong", ["mailto:nobody", "ftp://x/s3cret", "s3cret", "http://"])
def test_a_setting_that_is_no_address_stops_the_start_and_is_not_shown(wrong, tmp_path):
    with pytest.raises(SettingsError, match="MIDSPAN_HEARTBEAT") as caught:
        settings(tmp_path, MIDSPAN_HEARTBEAT=wrong)
    assert "s3cret" not in str(caught.value)


def test_a_test_message_reaches_everybody_behind_a_name_and_rings_for_nobody(
    engine, hook, post, tmp_path
):
    (tmp_path / "receivers.yaml").write_text(
        f"receivers:\n"
        f"  - {{name: heads, kind: mail, addresses: [ann@acme.example]}}\n"
        f"  - {{name: pager, kind: pagerduty, routing_key: {'k' * 32}, url: '{hook.url}',"
        f" allow_private_addresses: true}}\n"
        f"  - {{name: all, kind: group, members: [heads, pager]}}\n"
    )
    directory = read_receivers(tmp_path).directory
    given = settings(tmp_path, MIDSPAN_SMTP_URL=post.url)
    speaker = Speaker(given.base_url, str)
    senders = {
        "mail": MailNotifier(given, speaker, lambda: NOW_US),
        "pagerduty": HookNotifier(
            Hooks(directory.targets), speaker, PagerDuty, pagerduty_request, 5.0
        ),
    }

    def ask(now_us: int) -> str | None:
        ask_for_test(engine, tmp_path, EVERYTHING, name="all", now_us=now_us, actor="user:ann")
        assert try_receivers(engine, directory, senders, lambda: NOW_US) == 1
        assert try_receivers(engine, directory, senders, lambda: NOW_US) == 0
        with reading(engine) as session:
            return session.scalars(select(ReceiverTest.error)).one()

    assert ask(1) == ""
    assert [each.json["event_action"] for each in hook.taken] == ["trigger", "resolve"]
    [mail] = post.taken
    assert "a test message; nothing is wrong" in mail.headers["Subject"]
    assert "/acknowledge" not in mail.body.decode()
    hook.says = ["404"]
    assert ask(2) == "127.0.0.1 answered 404"
