"""A scheduler that is started anew at any point goes on where the one before it was."""

import pytest
from sqlalchemy import select

from alerts.changes import changes
from alerts.conditions import Verdict
from alerts.evaluate import Evaluation, Round, Subject
from alerts.store import AlertStore
from app.db import reading, registry_engine
from app.domain.alert import Finding, Patience, State
from app.domain.rule import CircuitOpen, Rule, Severity
from app.domain.window import SECOND_US
from app.models import Alert, Incident
from tests.contract.worlds import NOW_US

ROUND_US = 15 * SECOND_US
PATIENCE = Patience(for_us=4 * ROUND_US, keep_us=3 * ROUND_US)
RULE = Rule("scripted", CircuitOpen(), Severity.P2)
#: Wrong, right for less than it takes, wrong, unseen, right for good, wrong too shortly.
SCRIPT = tuple(
    what
    for what, times in (
        (Finding.FALSE, 1), (Finding.TRUE, 8), (Finding.FALSE, 2), (Finding.TRUE, 2),
        (Finding.ERROR, 2), (Finding.FALSE, 6), (Finding.TRUE, 3), (Finding.FALSE, 2),
    )
    for _ in range(times)
)  # fmt: skip
States = list[tuple[State, int]]


def evaluate(engine, place: int) -> None:
    now_us = NOW_US + place * ROUND_US
    store = AlertStore(engine, "midspan.example")
    verdict = Verdict(SCRIPT[place], "scripted")
    found = Round((Evaluation(RULE, Subject("x"), verdict, PATIENCE),))
    store.record(changes(store.held(), found, now_us), {}, now_us)


def standing(engine) -> tuple[State, int] | None:
    with reading(engine) as session:
        row = session.scalar(select(Alert))
        return None if row is None else (row.state, (row.since_us - NOW_US) // ROUND_US)


def incidents(engine) -> list[tuple[int, int | None]]:
    with reading(engine) as session:
        rows = session.scalars(select(Incident).order_by(Incident.id))
        return [
            (
                (each.fired_us - NOW_US) // ROUND_US,
                None if each.resolved_us is None else (each.resolved_us - NOW_US) // ROUND_US,
            )
            for each in rows
        ]


def test_a_process_of_its_own_for_each_round_keeps_every_clock(engine):
    url = engine.url.render_as_string(hide_password=False)
    if engine.url.get_backend_name() == "sqlite":
        url = f"sqlite:///{engine.url.database.removeprefix('file:').partition('?')[0]}"
    seen = []
    for place in range(len(SCRIPT)):
        fresh = registry_engine(url)
        evaluate(fresh, place)
        seen.append(standing(fresh))
        fresh.dispose()
    assert [each[0] for each in seen if each] == [
        *[State.PENDING] * 4, *[State.FIRING] * 4, *[State.RECOVERING] * 2, *[State.FIRING] * 4,
        *[State.RECOVERING] * 3, *[State.RESOLVED] * 3, *[State.PENDING] * 3,
        *[State.INACTIVE] * 2,
    ]  # fmt: skip
    assert incidents(engine) == [(5, 18)], "one incident, told once, over once"


@pytest.mark.parametrize("down_from", range(1, len(SCRIPT) - 2))
def test_rounds_that_nobody_evaluated_only_make_the_next_one_late(engine, down_from):
    down = range(down_from, down_from + 2)
    for place in range(len(SCRIPT)):
        if place not in down:
            evaluate(engine, place)
    found = incidents(engine)
    assert len(found) == 1, "never a second incident, never none"
    [(fired, over)] = found
    assert 5 <= fired <= 7
    assert over is not None
    # Had it been wrong again in those rounds alone, it was over three after it was right.
    assert over == 15 if down_from == 11 else 18 <= over <= 20
