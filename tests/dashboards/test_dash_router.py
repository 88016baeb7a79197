import json
from types import SimpleNamespace

import pytest
from dash import dcc, html
from dash_builders import make_health
from hypothesis import given
from hypothesis import strategies as st
from plotly.io.json import to_json_plotly

from app.domain.words import Outcome, Verdict
from dashboards import router, urlstate
from dashboards.mount import plain
from dashboards.pages import PAGES, health_figures
from dashboards.pages.exchanges import wanted

NOW = 1_795_348_812_345_678
ASKED = urlstate.parse("?window=1h", NOW)


@pytest.mark.parametrize(
    ("path", "name", "arguments"),
    [
        ("/", "Overview", {}),
        (None, "Overview", {}),
        ("/integrations/one", "Health", {"slug": "one"}),
        ("/integrations/one/", "Health", {"slug": "one"}),
        ("/integrations/one/exchanges", "Exchanges", {"slug": "one"}),
        ("/exchanges/17", "Exchange", {"exchange_id": "17"}),
        ("/integrations/a%2Fb", "Health", {"slug": "a/b"}),
    ],
)
def test_an_address_opens_its_page(path, name, arguments):
    found = router.match(PAGES, path)
    assert (found.page.NAME, found.arguments) == (name, arguments)


def test_a_tree_is_sent_as_dash_would_send_it():
    def tree():
        cell = html.Span("one", **{"data-tip": "what it is"})
        return html.Div([html.H1("A"), [cell, None], dcc.Store(id="s", data={"a": [1, None]})])

    assert json.loads(json.dumps(plain(tree()))) == json.loads(to_json_plotly(tree()))


@pytest.mark.parametrize("path", ["/integrations", "/x", "/exchanges/1/2", "/integrations/a/b"])
def test_an_address_of_no_page_opens_none(path):
    assert router.match(PAGES, path) is None


@given(st.text(max_size=60))
def test_no_path_breaks_the_router(path):
    found = router.match((SimpleNamespace(PATH="/a/<b>"),), path)
    assert found is None or "b" in found.arguments


def test_the_first_value_of_a_name_counts():
    assert router.query("?a=1&a=2&b=&c=x%20y") == {"a": "1", "c": "x y"}


def test_the_filters_of_the_list_are_those_of_the_address():
    want = wanted("one", {"verdict": "bad", "outcome": "timeout", "operation": "GET /a"}, ASKED)
    assert want.where.integrations == ("one",)
    assert want.where.verdict == Verdict.BAD
    assert want.where.outcomes == (Outcome.TIMEOUT,)
    assert want.where.operation == "GET /a"
    assert want.said == "bad · timeout · operation GET /a"
    assert want.problem is None


def test_a_word_that_is_none_is_named_and_left_out():
    want = wanted("one", {"verdict": "ugly\u202e"}, ASKED)
    assert want.where.verdict is None
    assert "ugly\\u202e" in want.problem


def test_the_slug_of_the_path_wins_over_the_query():
    want = wanted("one", {"slug": "two", "integration": "two"}, ASKED)
    assert want.where.integrations == ("one",)


def test_of_too_few_exchanges_nothing_is_concluded():
    few = make_health(status="not_enough_data", good=8, bad=1, recorded=9, proxied=9)
    figures = dict(
        zip(
            [place.key for place in health_figures.PLACES],
            health_figures.figures(few, make_health()),
            strict=True,
        )
    )
    assert figures["ratio"].value == "1 of 9"
    assert figures["p95"].note == "of 9 exchanges"
    assert figures["p95"].change == ""


def test_what_is_not_recorded_shows_only_when_there_is_some():
    calm, lost = make_health(), make_health(shed=3)
    assert not health_figures.figures(calm, calm)[-1].shown
    assert health_figures.figures(lost, calm)[-1].shown
