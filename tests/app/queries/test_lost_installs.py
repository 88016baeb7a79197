"""Late installs are judged once, from what crossed."""

from datetime import UTC, datetime

from sqlalchemy import select

from app.commands.lifecycle import record
from app.commands.lost_installs import judge_lost
from app.db import reading, transaction
from app.domain.window import DAY_US, HOUR_US, MINUTE_US
from app.models import Installation, InstallFailure
from collectors.loader.activity import activity
from tests.app.web_world import SLUGS
from tests.contract.worlds import NOW_US, batch_of, exchange, failure

STARTED_US = NOW_US - 3 * DAY_US


def moment(at_us: int) -> str:
    return datetime.fromtimestamp(at_us / 1e6, UTC).isoformat()


def told(world, name: str, *steps: str, at_us: int = STARTED_US) -> None:
    events = [
        {"id": f"{name}-{step}", "integration": SLUGS[0], "installation": name, "step": step,
         "occurred_at": moment(at_us + number * MINUTE_US)}
        for number, step in enumerate(steps)
    ]  # fmt: skip
    with transaction(world.engine) as session:
        assert record(session, events, now_us=NOW_US).accepted == len(events)


def crossed(world, *rows) -> None:
    world.store.append(batch_of(rows, activity=activity(rows)))


def webhook(name: str, at_us: int, *, good: bool = False):
    made = exchange if good else failure
    topic = "installation.created"
    return made(
        at_us, integration=SLUGS[0], installation=name, kind=1, topic=topic, operation=topic
    )


def judged(world) -> dict[str, str | None]:
    with reading(world.engine) as session:
        rows = session.execute(select(Installation.external_id, Installation.lost_cause))
        return {row[0]: row[1] and row[1].value for row in rows}


def test_each_late_install_gets_its_cause_and_the_exchange_that_failed(world) -> None:
    for name in ("broken", "mended", "quiet", "slow", "fresh"):
        told(world, name, "started", "authorized",
             at_us=NOW_US - HOUR_US if name == "fresh" else STARTED_US)  # fmt: skip
    told(world, "no-thanks", "started", "declined")
    told(world, "done", "started", "activated")
    bad = webhook("broken", STARTED_US + 2 * MINUTE_US)
    crossed(
        world, bad, webhook("mended", STARTED_US + 2 * MINUTE_US),
        webhook("mended", STARTED_US + 9 * MINUTE_US, good=True),
        webhook("slow", STARTED_US + 9 * MINUTE_US, good=True),
    )  # fmt: skip
    assert judge_lost(world.engine, world.store, NOW_US) == 4
    assert judged(world) == {
        "broken": "failed", "mended": "timed_out", "quiet": "stuck", "slow": "timed_out",
        "fresh": None, "no-thanks": "declined", "done": None,
    }  # fmt: skip
    with reading(world.engine) as session:
        [found] = session.scalars(select(InstallFailure))
    assert (found.exchange, found.step) == (bad.id, "verified")
    assert (found.what, found.webhook, found.ended, found.fault) == (
        "installation.created", True, "503", "partner"
    )  # fmt: skip
    assert judge_lost(world.engine, world.store, NOW_US) == 0


def test_an_install_that_goes_on_after_all_is_not_lost(world) -> None:
    told(world, "late", "started", "authorized")
    judge_lost(world.engine, world.store, NOW_US)
    assert judged(world) == {"late": "stuck"}
    told(world, "late", "verified", at_us=NOW_US - MINUTE_US)
    assert judged(world) == {"late": None}
    assert judge_lost(world.engine, world.store, NOW_US) == 0
    assert judge_lost(world.engine, world.store, NOW_US + 2 * DAY_US) == 1
    assert judged(world) == {"late": "stuck"}


def test_one_go_judges_no_more_than_it_is_told_to(world) -> None:
    for number in range(5):
        told(world, f"i{number}", "started", at_us=STARTED_US + number)
    assert judge_lost(world.engine, world.store, NOW_US, limit=2) == 2
    assert [name for name, cause in judged(world).items() if cause] == ["i0", "i1"]


def test_without_traffic_at_all_an_install_is_stuck(world) -> None:
    told(world, "alone", "started")
    judge_lost(world.engine, world.store, NOW_US)
    assert judged(world) == {"alone": "stuck"}
