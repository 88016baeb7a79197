"""Searching the request log in bounded steps, its neighbours, and taking it away as a table."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import queries
from app.domain.ids import format_id
from app.domain.window import HOUR_US, MINUTE_US, SECOND_US, window_ending
from app.errors import NotFound, StoreUnavailable
from app.queries import ExchangeFilter
from app.queries import exchanges as module
from app.queries.spreadsheet import HEAD, export, safe
from tests.app.web_world import CANARY, EVERYTHING, GLOBEX, SLUGS, some_traffic
from tests.contract.worlds import NOW_US, exchange, failure


def every(world, scope=GLOBEX, limit=10, **asked):
    """All pages of a question, as ids; how many pages there were."""
    found, cursor, pages = [], None, 0
    while True:
        page = queries.list_exchanges(world.reading, scope, ExchangeFilter(**asked), cursor, limit)
        found += [each.id for each in page.items]
        cursor, pages = page.next, pages + 1
        if cursor is None:
            return found, pages


@pytest.fixture
def rows(world):
    made = [
        exchange(
            NOW_US - i * SECOND_US, integration=SLUGS[0], method=("GET", "POST")[i % 2],
            total_us=i * 1000, delivery=f"d{i % 5}", error=("", "first_byte_timeout")[i % 3 == 0],
            trace_id=f"{i % 7:032x}", installation=f"inst-{i % 4}",
        )
        for i in range(60)
    ]  # fmt: skip
    world.load(made)
    return made


@pytest.mark.parametrize("searched", [1, 7, 59, 60, 50_000])
@pytest.mark.parametrize(
    ("asked", "matches"),
    [
        ({"method": "POST"}, lambda row: row.method == "POST"),
        ({"least_us": 50_000}, lambda row: row.total_us >= 50_000),
        ({"delivery": "d3"}, lambda row: row.delivery == "d3"),
        ({"error": "first_byte_timeout"}, lambda row: row.error != ""),
        ({"trace_id": f"{6:032x}"}, lambda row: row.trace_id == f"{6:032x}"),
        ({"text": "first_byte"}, lambda row: row.error != ""),
        ({"installation": "inst-9"}, lambda row: False),
    ],
)
def test_a_search_in_steps_finds_what_a_search_of_everything_would(
    world, rows, monkeypatch, searched, asked, matches
):
    monkeypatch.setattr(module, "SEARCHED", searched)
    found, pages = every(world, **asked)
    assert found == [format_id(row.id) for row in rows if matches(row)]
    assert pages <= len(rows) / searched + len(found) / 10 + 2


def test_what_needs_no_search_is_not_bounded(world, rows, monkeypatch):
    monkeypatch.setattr(module, "SEARCHED", 1)
    assert every(world, limit=500) == ([format_id(row.id) for row in rows], 1)


def test_the_neighbours_of_an_exchange_are_found(world, rows):
    here = rows[30]
    view = queries.get_exchange(world.reading, GLOBEX, format_id(here.id))
    found = queries.siblings(world.reading, GLOBEX, view)
    assert {each.delivery for each in found.attempts} == {here.delivery}
    assert {each.trace_id for each in found.trace} == {here.trace_id}
    assert view.id not in {each.id for each in (*found.attempts, *found.trace)}
    assert [each.id for each in found.before] == [format_id(rows[i].id) for i in (34, 38, 42)]
    assert [each.id for each in found.after] == [format_id(rows[i].id) for i in (26, 22, 18)]
    assert list(found.attempts) == sorted(found.attempts, key=lambda each: each.started_us)


def test_an_exchange_that_names_nothing_has_no_neighbours(world):
    alone = exchange(integration=SLUGS[0], installation="", trace_id="", delivery="")
    world.load([alone, exchange(integration=SLUGS[0], installation="", trace_id="")])
    view = queries.get_exchange(world.reading, GLOBEX, format_id(alone.id))
    assert queries.siblings(world.reading, GLOBEX, view) == queries.Siblings()


def test_a_trace_shows_a_partner_nothing_of_another(world):
    mine = exchange(integration=SLUGS[0], trace_id="a" * 32, delivery="d", installation="i")
    theirs = failure(integration=SLUGS[2], trace_id="a" * 32, delivery="d", installation="i")
    world.load([mine, theirs])
    view = queries.get_exchange(world.reading, EVERYTHING, format_id(mine.id))
    assert len(queries.siblings(world.reading, EVERYTHING, view).trace) == 1
    assert queries.siblings(world.reading, GLOBEX, view) == queries.Siblings()


def table(lines) -> list[list[str]]:
    return list(csv.reader(io.StringIO("".join(lines))))


def test_the_table_holds_what_the_list_holds(world, rows):
    head, *body = table(export(world.reading, GLOBEX, ExchangeFilter()))
    assert tuple(head) == HEAD
    assert [line[1] for line in body] == [format_id(row.id) for row in rows]
    assert body[0][0].endswith("Z")
    assert body[5][head.index("total (ms)")] == "5.0"


@pytest.mark.parametrize(("most", "last"), [(7, 7), (59, 59), (60, None), (61, None)])
def test_a_table_that_is_cut_says_so(world, rows, most, last):
    _, *body = table(export(world.reading, GLOBEX, ExchangeFilter(), most))
    assert len(body) == min(most, 60) + (last is not None)
    if last is not None:
        assert body[-1] == [f"# cut after {last} exchanges: narrow the filter or the time"]


def test_a_table_whose_store_goes_away_says_so(world, monkeypatch):
    world.load([exchange(NOW_US - i * 1000, integration=SLUGS[0]) for i in range(501)])
    lines = export(world.reading, GLOBEX, ExchangeFilter())
    begun = [next(lines), next(lines)]

    def away(*_args, **_more):
        raise StoreUnavailable("away")

    monkeypatch.setattr("app.queries.spreadsheet.list_exchanges", away)
    assert "incomplete" in table([*begun, *lines])[-1][0]


def test_a_table_of_somebody_elses_is_not_found_before_it_begins(world):
    world.load(some_traffic())
    with pytest.raises(NotFound):
        export(world.reading, GLOBEX, ExchangeFilter(integrations=(SLUGS[2],)))
    assert CANARY not in "".join(export(world.reading, GLOBEX, ExchangeFilter()))


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\\x09=1"), ("  =1", "'  =1"), ("＝1", "'＝1"), ("|cmd", "'|cmd"),
        ("plain", "plain"), ("a=1", "a=1"), ("\x1b[31m\u202e", "\\x1b[31m\\u202e"), ("", ""),
    ],
)  # fmt: skip
def test_no_cell_is_a_formula(text, cell):
    assert safe(text) == cell


@given(st.text(max_size=60))
def test_whatever_the_text_the_cell_is_one_line_of_text(text):
    cell = safe(text)
    assert not cell.strip()[:1] or cell.strip()[0] not in "=+-@\t\r"
    assert "\n" not in cell
    assert "\r" not in cell


def test_a_window_bounds_a_search(world, rows):
    window = window_ending(NOW_US, MINUTE_US)
    found, _ = every(world, window=window, method="GET")
    assert 0 < len(found) <= 30
    assert every(world, window=window_ending(NOW_US - HOUR_US, MINUTE_US), method="GET")[0] == []
