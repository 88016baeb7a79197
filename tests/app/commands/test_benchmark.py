"""The figures that integrations are compared by are kept for one month, whoever counts them."""

import threading

import pytest
from sqlalchemy import Engine, select

from app import db
from app.commands.benchmark import keep_figures
from app.domain.benchmark import FIGURES
from app.domain.retention import Ratio
from app.models import BenchmarkFigure
from tests.app.web_world import integration, partner

MAY, JUNE = 20_209, 20_240


@pytest.fixture
def numbers(engine: Engine) -> list[int]:
    """The ids of some integrations."""
    with db.transaction(engine) as session:
        globex = partner("globex", "Globex")
        session.add(globex)
        session.flush()
        made = [integration(globex, f"it-{n}") for n in range(40)]
        session.add_all(made)
        session.flush()
        return [each.id for each in made]


def kept(engine: Engine) -> dict[tuple[int, int, str], tuple[int, int]]:
    table = BenchmarkFigure
    with db.reading(engine) as session:
        return {
            tuple(key): tuple(ratio)
            for *key, numerator, denominator in session.execute(
                select(table.first_day, table.integration_id, table.figure, table.numerator,
                       table.denominator)
            )
            for ratio in ((numerator, denominator),)
        }  # fmt: skip


def test_a_later_count_takes_the_place_of_an_earlier_one_and_of_other_months(engine, numbers):
    one = numbers[0]
    keep_figures(engine, MAY, {one: {"grr": Ratio(3, 4)}})
    keep_figures(engine, JUNE, {one: {"grr": Ratio(1, 2), "activation": Ratio(5, 9)}})
    keep_figures(engine, JUNE, {one: {"activation": Ratio(6, 9)}})
    assert kept(engine) == {
        (JUNE, one, name): (6, 9) if name == "activation" else (0, 0) for name in FIGURES
    }


def test_of_one_without_any_figure_nothing_is_kept(engine, numbers):
    one, other = numbers[:2]
    keep_figures(engine, JUNE, {one: {"grr": Ratio(1, 2)}, other: {"grr": Ratio(1, 2)}})
    keep_figures(engine, JUNE, {one: {}, other: {"grr": Ratio(1, 3)}})
    assert {number for _, number, _ in kept(engine)} == {other}
    keep_figures(engine, JUNE, {})
    assert kept(engine) == {}


def test_two_who_count_at_once_keep_what_they_counted(engine, numbers):
    together, broken = threading.Barrier(2), []

    def count(order: list[int]) -> None:
        together.wait(30)
        try:
            keep_figures(engine, JUNE, {number: {"grr": Ratio(1, 2)} for number in order})
        except Exception as error:
            broken.append(error)

    for _ in range(10):
        both = [threading.Thread(target=count, args=(each,)) for each in (numbers, numbers[::-1])]
        for each in both:
            each.start()
        for each in both:
            each.join(60)
    assert broken == []
    assert len(kept(engine)) == len(numbers) * len(FIGURES)
