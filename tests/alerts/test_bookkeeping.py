"""The scheduler looks after what is folded: each minute what ended, each night everything."""

from sqlalchemy import select, update

from alerts.bookkeeping import Bookkeeper
from app import db
from app.domain.window import DAY_US, HOUR_US
from app.models import Subscription
from tests.app.billing_worlds import DAY_0, moment, post, started

NOON_US = int(DAY_0.timestamp()) * 1_000_000 + 18 * DAY_US + 12 * HOUR_US


def status(world) -> str:
    with db.reading(world.engine) as session:
        return session.scalars(select(Subscription.status)).one()


def spoil(world) -> None:
    with db.transaction(world.engine) as session:
        session.execute(update(Subscription).values(plan="spoilt"))


def plan(world) -> str:
    with db.reading(world.engine) as session:
        return session.scalars(select(Subscription.plan)).one()


def test_what_ends_by_itself_ends_and_the_night_mends_what_is_wrong(world):
    world.clock.now_us = NOON_US
    post(world, [started(1, ends_at=moment(18.2))])
    keeper = Bookkeeper(world.engine, world.clock)
    spoil(world)
    world.clock.pass_us(HOUR_US)
    keeper.turn()
    assert (status(world), plan(world)) == ("active", "spoilt"), "it is day"
    world.clock.pass_us(5 * HOUR_US)
    keeper.turn()
    assert (status(world), plan(world)) == ("expired", "pro"), "it was folded when it ended"
    spoil(world)
    world.clock.pass_us(12 * HOUR_US)
    keeper.turn()
    assert plan(world) == "pro"
    spoil(world)
    keeper.turn()
    assert plan(world) == "spoilt", "once a night"
