"""The demo's partner whose step broke for an hour: the product names step, cause and exchange."""

from app.commands import registry_file, registry_import
from app.commands.lost_installs import judge_lost
from app.db import transaction
from app.domain.window import DAY_US, HOUR_US, Window
from app.queries import Reading, funnel, get_exchange, lost_reasons
from collectors.loader.batch import Preparer
from dashboards.pages import installs_rows as rows
from demo import installs, registry
from demo.cast import CAST
from demo.draw import Block
from demo.model import Model
from demo.past import records
from demo.services import PLATFORM_SERVICE
from tests.app.lifecycle_worlds import tell
from tests.app.web_world import EVERYTHING, World, copy_of, make_template

ANCHOR_US = 1_795_348_800_000_000
NOW_US = ANCHOR_US + DAY_US


def test_whoever_came_in_the_broken_hour_is_named_with_step_cause_and_exchange(tmp_path):
    tokens = make_template(tmp_path / "template")
    world = World(copy_of(tmp_path / "template", tmp_path / "home"), tokens)
    ports = {role.slug: 9 for role in CAST} | {PLATFORM_SERVICE: 9}
    wanted = registry_file.parse(registry.document(7, ports).encode(), "registry.yaml")
    with transaction(world.engine) as session:
        registry_import.apply(session, wanted, now_us=ANCHOR_US, actor="test")
    start, end = (ANCHOR_US + at_us for at_us in installs.BROKEN)
    told = installs.events(7, ANCHOR_US, Window(start - HOUR_US, ANCHOR_US))
    for at in range(0, len(told), 1_000):
        tell(world.engine, *told[at : at + 1_000], now_us=NOW_US)
    drawn = [each for each in records(Model(7, ANCHOR_US), Block(Window(start, end + HOUR_US), 1))
             if each.topic == installs.TOPIC]  # fmt: skip
    world.store.append(Preparer("s" * 40).prepare(drawn).batch)
    judge_lost(world.engine, world.store, NOW_US + HOUR_US)

    reading = Reading(world.engine, world.store, lambda: NOW_US + HOUR_US)
    window = Window(start - HOUR_US, ANCHOR_US)
    losses = lost_reasons(reading, EVERYTHING, installs.BROKEN_AT, window)
    broken = sum(each.broken for each in installs.begun(7, ANCHOR_US, window))
    worst = losses[0]
    assert (worst.reason.step, worst.reason.cause.value) == ("verified", "failed")
    assert (worst.reason.what, worst.reason.ended) == (installs.TOPIC, "500")
    assert worst.reason.installs == broken > 1
    exchange = get_exchange(reading, EVERYTHING, worst.exchange)
    assert exchange.status == 500
    view = funnel(reading, EVERYTHING, installs.BROKEN_AT, window)
    assert "lost at verified had their `installation.created` webhook answered 500." in (
        rows.sentence(view, losses)
    )
    shown = rows.lost_rows(losses)[0]
    assert (shown["name"], shown["href"]) == ("verified", f"/exchanges/{worst.exchange}")
    assert shown["how"] == "had their `installation.created` webhook answered 500"
    world.close()
