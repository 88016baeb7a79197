"""Why installs were lost, counted: it adds up to the funnel, and names an exchange."""

from collections import Counter

import pytest

from app.commands.lost_installs import judge_lost
from app.domain.ids import format_id
from app.domain.window import DAY_US, HOUR_US, MINUTE_US, Window
from app.errors import NotFound
from app.queries import funnel, lost_reasons
from collectors.loader.activity import activity
from tests.app.lifecycle_worlds import event, tell
from tests.app.web_world import EVERYTHING, GLOBEX, SLUGS
from tests.contract.worlds import NOW_US, batch_of, failure

SLUG = SLUGS[0]
STARTED_US = NOW_US - 3 * DAY_US
WEEK = Window(NOW_US - 7 * DAY_US, NOW_US + MINUTE_US)


def lose(world, name: str, *, topic: str = "", status: int = 500, at_us: int = STARTED_US) -> bytes:
    """An install that got no further than `authorized`; the exchange that failed, if one did."""
    steps = ("started", "authorized")
    tell(world.engine, *(event(step, at_us + at, installation=name)
                         for at, step in enumerate(steps)))  # fmt: skip
    bad = failure(at_us + MINUTE_US, integration=SLUG, installation=name, kind=1, topic=topic,
                  operation=topic, status=status)  # fmt: skip
    if topic:
        world.store.append(batch_of([bad], activity=activity([bad])))
    return bad.id


@pytest.fixture
def losses(world):
    for number in range(3):
        lose(world, f"created-{number}", topic="installation.created")
    newest = lose(world, "created-last", topic="installation.created", at_us=STARTED_US + HOUR_US)
    lose(world, "pinged", topic="ping", status=502)
    lose(world, "quiet")
    judge_lost(world.engine, world.store, NOW_US)
    lose(world, "not-judged", at_us=STARTED_US + HOUR_US)
    tell(world.engine, event("declined", STARTED_US, installation="no"),
         event("started", STARTED_US - 1, installation="no"))  # fmt: skip
    tell(world.engine, event("started", NOW_US - HOUR_US, installation="under way"))
    tell(world.engine, event("activated", STARTED_US, installation="done"))
    world.newest = format_id(newest)
    return world


def test_installs_are_counted_by_what_failed_with_the_newest_exchange(losses) -> None:
    found = lost_reasons(losses.reading, GLOBEX, SLUG, WEEK)
    assert [(each.reason.installs, each.reason.step, each.reason.cause.value, each.reason.what,
             each.reason.ended) for each in found] == [
        (4, "verified", "failed", "installation.created", "500"),
        (2, "verified", "stuck", "", ""),
        (1, "redirected", "declined", "", ""),
        (1, "verified", "failed", "ping", "502"),
    ]  # fmt: skip
    assert found[0].exchange == losses.newest
    assert [each.exchange is None for each in found] == [False, True, True, False]


def test_the_reasons_add_up_to_the_losses_of_the_funnel(losses) -> None:
    for window in (WEEK, Window(STARTED_US + 1, NOW_US)):
        counted = Counter()
        for each in lost_reasons(losses.reading, EVERYTHING, SLUG, window):
            counted[each.reason.step, each.reason.cause.value] += each.reason.installs
        steps = funnel(losses.reading, EVERYTHING, SLUG, window).count.steps
        told = {(step.name, cause): n for step in steps for cause, n in step.lost.items() if n}
        assert counted == told


def test_an_install_that_failed_once_and_is_stuck_later_did_not_fail_there(losses) -> None:
    tell(losses.engine, event("verified", NOW_US - 2 * DAY_US, installation="pinged"))
    found = lost_reasons(losses.reading, EVERYTHING, SLUG, WEEK)
    reasons = {(each.reason.step, each.reason.cause.value, each.reason.what) for each in found}
    assert ("activated", "stuck", "") in reasons
    assert "ping" not in {what for _, _, what in reasons}


def test_the_reasons_of_another_partner_are_not_there(losses) -> None:
    with pytest.raises(NotFound):
        lost_reasons(losses.reading, GLOBEX, SLUGS[2], WEEK)


def test_the_funnel_answers_with_the_sentence_of_each_step(losses) -> None:
    answer = losses.api(f"/integrations/{SLUG}/funnel?window=7d", "globex").json
    why = {step["name"]: step["why_lost"] for step in answer["steps"]}
    assert why["verified"] == (
        "4 of 7 lost at verified had their `installation.created` webhook answered 500."
    )
    assert why["redirected"] == "The one lost at redirected was turned down by the customer."
    assert why["started"] == ""
    first = answer["lost_reasons"][0]
    assert (first["exchange"], first["installs"], first["ended"]) == (losses.newest, 4, "500")
    assert losses.api(first["links"]["exchange"].removeprefix("/api/v1"), "globex").json["id"] == (
        losses.newest
    )


def test_stuck_installs_and_contradictions_are_tables_for_spreadsheets(losses) -> None:
    tell(losses.engine, event("started", STARTED_US, installation="=1+1"))
    answer = losses.api(f"/integrations/{SLUG}/stuck-installs.csv", "globex")
    assert answer.headers["Content-Disposition"].endswith(f'"{SLUG}-stuck-installs.csv"')
    head, *lines = answer.text.splitlines()
    assert head.startswith("installation,customer,plan")
    assert len(lines) == 8
    assert any(line.startswith("'=1+1,") for line in lines)
    assert sum("installation.created,500,partner," in line for line in lines) == 4
    found = losses.api(f"/integrations/{SLUG}/reconciliation.csv", "globex")
    assert found.text.splitlines()[0].startswith("kind,installation,since (UTC)")
    for name in ("stuck-installs", "reconciliation"):
        assert losses.api(f"/integrations/{SLUGS[2]}/{name}.csv", "globex").status_code == 404
