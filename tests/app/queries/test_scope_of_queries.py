"""What lies outside a scope does not exist, for every question there is."""

import pytest

from app import queries
from app.domain.ids import format_id
from app.domain.window import HOUR_US, MINUTE_US, window_ending
from app.errors import BadQuery, NotFound
from app.queries import ExchangeFilter
from app.queries.exchanges import KEPT_BYTES
from app.store.port import StoredCapture
from collectors.record import CAPTURE_BYTES
from tests.app.web_world import CANARY, EVERYTHING, GLOBEX, INSIDE, NOBODY, SLUGS, some_traffic
from tests.contract.worlds import NOW_US, exchange, failure

WINDOW = window_ending(NOW_US, HOUR_US)
ONE_SLUG = {
    "get_integration": queries.get_integration,
    "health": lambda it, scope, slug: queries.health(it, scope, slug, WINDOW),
    "series": lambda it, scope, slug: queries.series(it, scope, slug, WINDOW, MINUTE_US),
    "operations": lambda it, scope, slug: queries.operations(it, scope, slug, WINDOW),
    "budgets": queries.budgets,
    "error_groups": lambda it, scope, slug: queries.error_groups(it, scope, slug, WINDOW),
    "churn": queries.churn,
    "at_risk": lambda it, scope, slug: queries.at_risk(it, scope, slug, WINDOW) or True,
    "usage": lambda it, scope, slug: queries.usage(it, scope, slug, WINDOW),
    "export_usage": lambda it, scope, slug: queries.export_usage(it, scope, slug, WINDOW),
    "assignees": queries.assignees,
    "list_exchanges": lambda it, scope, slug: queries.list_exchanges(
        it, scope, ExchangeFilter(integrations=(slug,))
    ),
}


@pytest.mark.parametrize("question", ONE_SLUG)
@pytest.mark.parametrize("slug", [SLUGS[2], "unattributed", "never-registered", ""])
def test_an_integration_outside_the_scope_does_not_exist(world, question, slug):
    world.load(some_traffic())
    with pytest.raises(NotFound) as found:
        ONE_SLUG[question](world.reading, GLOBEX, slug)
    assert str(found.value) == f"no integration {slug!r}"


@pytest.mark.parametrize("question", ONE_SLUG)
@pytest.mark.parametrize("slug", [*SLUGS, "unattributed"])
def test_a_scope_of_everything_sees_everything(world, question, slug):
    world.load(some_traffic())
    assert ONE_SLUG[question](world.reading, EVERYTHING, slug) is not None


def test_lists_hold_what_is_in_scope_and_nothing_else(world):
    world.load(some_traffic())
    reading = world.reading
    assert [each.slug for each in queries.list_integrations(reading, GLOBEX)] == sorted(SLUGS[:2])
    assert [each.slug for each in queries.list_partners(reading, GLOBEX)] == ["globex"]
    league = queries.league(reading, GLOBEX, WINDOW)
    assert {view.slug for view, _health in league} == set(SLUGS[:2])
    page = queries.list_exchanges(reading, GLOBEX, ExchangeFilter(), limit=500)
    assert {each.integration for each in page.items} == {SLUGS[0]}
    for answer in (league, page):
        assert CANARY not in repr(answer)


def test_a_scope_without_partners_sees_nothing(world):
    world.load(some_traffic())
    reading = world.reading
    assert queries.list_integrations(reading, NOBODY) == []
    assert queries.list_partners(reading, NOBODY) == []
    assert queries.league(reading, NOBODY, WINDOW) == []
    assert queries.list_exchanges(reading, NOBODY, ExchangeFilter()).items == ()


def test_partners_outside_the_scope_do_not_exist(world):
    with pytest.raises(NotFound, match="no partner 'initech'"):
        queries.get_partner(world.reading, GLOBEX, "initech")


def test_somebody_elses_exchange_is_as_unknown_as_one_that_never_was(world):
    theirs, nobodys = failure(integration=SLUGS[2]), exchange(integration="unattributed")
    world.load([theirs, nobodys])
    for raw in (theirs.id, nobodys.id, exchange().id):
        with pytest.raises(NotFound) as found:
            queries.get_exchange(world.reading, GLOBEX, format_id(raw))
        assert str(found.value) == f"no exchange {format_id(raw)!r}"


@pytest.mark.parametrize("text", ["", "x", "../../etc/passwd", "0" * 31, "é" * 32])
def test_an_id_that_is_none_is_not_found(world, text):
    with pytest.raises(NotFound):
        queries.get_exchange(world.reading, EVERYTHING, text)


def test_traffic_of_nobody_is_in_the_league_of_those_who_see_everything(world):
    world.load(some_traffic())
    league = queries.league(world.reading, EVERYTHING, WINDOW)
    assert {view.slug for view, _health in league} == {*SLUGS, INSIDE, "unattributed"}


def test_pages_follow_each_other_without_gap_or_repeat(world):
    stored = [exchange(NOW_US - i * 1000, integration=SLUGS[0]) for i in range(25)]
    world.load(stored)
    seen, cursor = [], None
    while True:
        page = queries.list_exchanges(world.reading, GLOBEX, ExchangeFilter(), cursor, 10)
        seen += [each.id for each in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert seen == [format_id(each.id) for each in stored]


def test_a_last_page_that_is_full_has_no_next(world):
    world.load([exchange(NOW_US - i, integration=SLUGS[0]) for i in range(10)])
    assert queries.list_exchanges(world.reading, GLOBEX, ExchangeFilter(), None, 10).next is None


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "AAAAAAAAAAAAAAAAAAAAAB", "=" * 22, "é" * 22])
def test_a_cursor_that_we_did_not_make_is_refused(world, cursor):
    with pytest.raises(BadQuery) as found:
        queries.list_exchanges(world.reading, GLOBEX, ExchangeFilter(), cursor)
    assert found.value.parameter == "cursor"


@pytest.mark.parametrize("limit", [0, -1, 501])
def test_a_page_is_neither_empty_nor_endless(world, limit):
    with pytest.raises(BadQuery):
        queries.list_exchanges(world.reading, GLOBEX, ExchangeFilter(), None, limit)


def test_an_exchange_reads_in_words_and_shows_what_was_never_reached_as_none(world):
    stored = exchange(integration=SLUGS[0], captured=True, response_bytes=CAPTURE_BYTES + 1)
    headers = (("Content-Type", "text/plain"), ("X-Twice", "1"), ("X-Twice", "2"))
    capture = StoredCapture(stored.id, headers, b"question", (), b"answer \xff")
    world.load([stored], captures=[capture])
    found = queries.get_exchange(world.reading, GLOBEX, format_id(stored.id))
    assert (found.direction, found.outcome, found.verdict) == ("outbound", "ok", "good")
    assert (found.total_ms, found.tls_ms, found.topic) == (23.456, None, None)
    assert found.capture.request_headers == headers
    assert found.capture.response_body == "answer \ufffd"
    assert (found.capture.request_cut, found.capture.response_cut) == (False, True)


def test_the_kept_length_is_that_of_the_records():
    assert KEPT_BYTES == CAPTURE_BYTES


@pytest.mark.parametrize("text", ["\x00", "a\x00b", "\ud800"])
def test_what_no_database_can_hold_is_not_looked_for_in_one(text):
    """PostgreSQL raises where SQLite finds nothing; here there is neither."""
    nowhere = queries.Reading(None, None)
    for question in (queries.get_integration, queries.get_partner):
        with pytest.raises(NotFound):
            question(nowhere, EVERYTHING, text)
    for name in ("operation", "installation", "customer", "topic", "text"):
        with pytest.raises(BadQuery) as found:
            queries.list_exchanges(nowhere, EVERYTHING, ExchangeFilter(**{name: text}))
        assert found.value.parameter == name
