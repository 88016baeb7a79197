"""Installations whose witnesses agree, and some of which they do not: with each, what is to be
found of it. Nothing here knows how findings are made."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import Engine, insert, select

from app.db import transaction
from app.domain.funnel import NOTHING
from app.domain.window import DAY_US, HOUR_US, MINUTE_US, floor
from app.models import Installation, Integration, Subscription
from app.models.facts import pack
from app.store.activity import ActivitySum, of_sums
from app.store.port import Batch, MetricsStore
from tests.contract.worlds import NOW_US

#: (direction, kind): what crosses.
WEBHOOK, CALL, REQUEST = (0, 1), (1, 0), (0, 0)


@dataclass(frozen=True)
class Life:
    """One installation. `crossed`: way, how long ago first and last, how many, how many of them
    good. `told` False: the platform never told of it; `paying`: paid for since so long
    ago. `kind`: what is to be found; "": nothing."""

    kind: str = ""
    state: str = "active"
    told: bool = True
    since: int = 60 * DAY_US
    removed: int | None = None
    crossed: tuple[tuple[tuple[int, int], int, int, int, int], ...] = ()
    customer: str | None = None
    paying: int | None = None


def _life(kind: str = "", *crossed, **of) -> Life:
    return Life(kind, crossed=crossed, **of)


_GREETED = (WEBHOOK, 60 * DAY_US, 60 * DAY_US, 1, 1)
_IN_USE = (CALL, 59 * DAY_US, HOUR_US, 400, 390)
#: One of each way in which nothing is wrong, fresh ones included.
CLEAN = (
    _life("", _GREETED, _IN_USE),
    _life("", _GREETED, _IN_USE, (REQUEST, 50 * DAY_US, DAY_US, 10, 10)),
    _life("", (WEBHOOK, 60 * DAY_US, 59 * DAY_US, 4, 1), _IN_USE),
    _life("", (CALL, 59 * DAY_US, 30 * DAY_US, 5, 5)),
    _life(""),
    _life("", (WEBHOOK, 2 * HOUR_US, HOUR_US, 3, 0), since=3 * HOUR_US),
    _life("", (WEBHOOK, 2 * DAY_US, 2 * DAY_US, 1, 1), since=2 * DAY_US),
    _life("", _GREETED, (CALL, 59 * DAY_US, 20 * DAY_US - 10 * MINUTE_US, 90, 90),
          state="uninstalled", removed=20 * DAY_US),
    _life("", _GREETED, (CALL, 59 * DAY_US, 10 * MINUTE_US, 90, 90), state="uninstalled",
          removed=40 * MINUTE_US),
    _life("", _GREETED, (WEBHOOK, 20 * HOUR_US, 2 * HOUR_US, 5, 0), state="uninstalled",
          removed=20 * HOUR_US),
    _life("", _GREETED, (CALL, 59 * DAY_US, 12 * DAY_US, 90, 0), state="uninstalled",
          removed=30 * DAY_US),
    _life("", (CALL, 40 * MINUTE_US, MINUTE_US, 9, 9), told=False),
    _life("", (CALL, 300 * DAY_US, MINUTE_US, 9, 9), told=False),
    _life("", (WEBHOOK, 3 * DAY_US, 3 * DAY_US, 1, 0), told=False),
    _life("", state="suspended"),
    _life("", _GREETED, _IN_USE, paying=60 * DAY_US),
    _life("", _GREETED, (REQUEST, 50 * DAY_US, 13 * DAY_US, 10, 10), (CALL, 59 * DAY_US,
          50 * DAY_US, 9, 9), paying=60 * DAY_US),
    _life("", paying=13 * DAY_US),
    _life("", _GREETED, (CALL, 59 * DAY_US, 30 * DAY_US, 5, 5), state="suspended"),
    _life("", (WEBHOOK, 9 * DAY_US, 8 * DAY_US, 3, 0), state="installing"),
)  # fmt: skip
WRONG = (
    _life("never_acknowledged", (WEBHOOK, 3 * DAY_US, 2 * DAY_US, 4, 0), since=4 * DAY_US),
    _life("acknowledged_never_called", _GREETED),
    _life("uninstalled_still_calling", _GREETED, _IN_USE, state="uninstalled", removed=9 * DAY_US),
    _life("uninstalled_still_receiving", (WEBHOOK, 60 * DAY_US, 3 * HOUR_US, 50, 50),
          state="uninstalled", removed=5 * DAY_US),
    _life("calling_without_install", (CALL, 8 * DAY_US, 2 * HOUR_US, 30, 1), told=False),
    _life("paying_but_silent", (WEBHOOK, 60 * DAY_US, DAY_US, 99, 99), (CALL, 59 * DAY_US,
          15 * DAY_US, 40, 40), paying=50 * DAY_US),
    _life("installed_twice", _GREETED, _IN_USE, since=20 * DAY_US, customer="twin"),
)  # fmt: skip


def lives(clean: int, wrong: int) -> Iterator[tuple[str, Life]]:
    """Names and lives: `wrong` of which something is to be found, among others."""
    for number in range(clean):
        yield f"clean-{number}", CLEAN[number % len(CLEAN)]
    for number in range(wrong):
        life = WRONG[number % len(WRONG)]
        if life.customer is not None:
            customer = f"twin-{number}"
            yield f"first-{number}", Life(crossed=CLEAN[0].crossed, customer=customer)
            life = Life(life.kind, since=life.since, crossed=life.crossed, customer=customer)
        yield f"wrong-{number}", life


def settle(
    engine: Engine, store: MetricsStore, slug: str, found: Iterable[tuple[str, Life]]
) -> set[tuple[str, str]]:
    """Write them down as platform and wire tell of them; what is to be found, (name, kind)."""
    known = list(found)
    with transaction(engine) as session:
        owner = session.scalars(select(Integration.id).where(Integration.slug == slug)).one()
        rows = [_row(owner, name, life) for name, life in known if life.told]
        if rows:
            session.connection().execute(insert(Installation), rows)
        paid = [_paid(owner, name, life) for name, life in known if life.paying is not None]
        if paid:
            session.connection().execute(insert(Subscription), paid)
    sums = [each for name, life in known for each in _sums(slug, name, life)]
    store.append(Batch(activity=of_sums(sums)))
    return {(name, life.kind) for name, life in known if life.kind}


def _row(owner: int, name: str, life: Life) -> dict[str, object]:
    since_us = NOW_US - life.since
    removed_us = None if life.removed is None else NOW_US - life.removed
    return {
        "integration_id": owner, "external_id": name, "customer": life.customer or f"of-{name}",
        "state": life.state, "entered_us": since_us,
        "activated_us": None if life.state == "installing" else since_us,
        "uninstalled_us": removed_us, "last_us": removed_us or since_us, "created_us": since_us,
        "updated_us": removed_us or since_us, "facts": pack(NOTHING),
    }  # fmt: skip


def _paid(owner: int, name: str, life: Life) -> dict[str, object]:
    paid_us = NOW_US - life.paying
    return {
        "integration_id": owner, "external_id": f"sub-{name}", "installation": name,
        "customer": f"of-{name}", "account": f"c:of-{name}", "status": "active", "plan": "pro",
        "interval": "month", "every": 1, "quantity": 1, "amount_minor": 4900, "currency": "USD",
        "discount_ppm": 0, "mrr_minor": 4900, "started_us": paid_us, "paid_us": paid_us,
        "anchor_us": paid_us, "last_us": paid_us,
    }  # fmt: skip


def _sums(slug: str, name: str, life: Life) -> Iterator[ActivitySum]:
    for (direction, kind), first, last, number, good in life.crossed:
        for at_us, some, well in (
            (NOW_US - first, number - 1, good - 1), (NOW_US - last, 1, min(good, 1))
        ):  # fmt: skip
            if some and number:
                yield _sum(slug, name, direction, kind, at_us, some, max(well, 0))


def _sum(slug, name, direction, kind, at_us, number, good) -> ActivitySum:
    good_us = at_us if good else 0
    bad = number - good
    return ActivitySum(
        slug, name, "", direction, kind, floor(at_us, DAY_US), number, good, bad, bad, 0, 0, 0,
        at_us, at_us, good_us, good_us,
    )  # fmt: skip
