from types import SimpleNamespace

import pytest
from dash_builders import make_health, make_integration, make_window
from flask import Flask

from app.domain.scope import Role, Scope
from app.domain.window import HOUR_US
from app.queries import Overview, OverviewRow
from app.settings import load
from dashboards import asking, shell, urlstate
from dashboards.pages import alerts, exchanges, health, overview

NOW = 1_795_348_812_345_678


def count(component) -> int:
    """How many Dash components a tree has."""
    children = getattr(component, "children", None)
    found = children if isinstance(children, list | tuple) else [children]
    return 1 + sum(count(child) for child in found if hasattr(child, "to_plotly_json"))


@pytest.fixture
def server(monkeypatch, tmp_path):
    for page in (health, exchanges):
        monkeypatch.setattr(page, "get_integration", lambda *_: make_integration())
    for page in (health, exchanges, overview):
        monkeypatch.setattr(page, "current_scope", lambda: Scope(Role.ADMIN, None))
    monkeypatch.setattr(asking, "reading", lambda: None)
    app = Flask("test")
    config = load({"MIDSPAN_HOME": str(tmp_path)}, tmp_path / "none.env")
    app.extensions["midspan"] = SimpleNamespace(settings=config)
    with app.app_context():
        yield app


@pytest.mark.parametrize("page", [overview, health, exchanges, alerts])
@pytest.mark.usefixtures("server")
def test_a_page_is_small_enough_for_the_renderer(page):
    """The cost of a Dash page grows with the product of changed and mounted components."""
    whole = count(shell.layout()) + count(page.layout(slug="globex-issues"))
    assert whole < 260


def ask(search=""):
    return asking.Asked(None, None, NOW, urlstate.parse(search, NOW))


def found(*statuses, before="healthy"):
    rows = [
        OverviewRow(
            make_integration(slug=f"one-{i}", name=f"One {i}"),
            make_health(status=status),
            make_health(status=before),
            (),
            (),
            (),
            None,
        )
        for i, status in enumerate(statuses)
    ]
    return Overview(tuple(rows), make_window(), HOUR_US, NOW)


def test_the_overview_counts_who_needs_a_person_and_shows_them():
    now = found("failing", "silent", "slow", "healthy", "idle")
    props = overview.content(now, ask("?window=1h"), "?window=1h")
    assert props["title"] == "Three integrations need a person"
    assert props["whose"] == "All are for their partners to mend."
    assert props["count"] == "5 integrations by trouble"
    assert (props["first"], props["full"]) == ("gone", "stack")
    assert props["period"] == "Last 1\u202fh, compared with the 1\u202fh before"
    classes = [prop for prop in props["cards"] if prop.startswith("card ")]
    assert classes[:4] == ["card tone-bad", "card tone-bad", "card tone-warn", "card gone"]


def test_links_keep_the_range_and_nothing_else_of_the_address():
    props = overview.content(found("slow", "idle"), ask("?window=6h"), "?window=6h&only=trouble")
    assert [row["href"] for row in props["rows"]] == ["/integrations/one-0?window=6h"]
    assert props["count"] == "1 of 2 integrations by trouble"
    grouped = overview.content(found("slow"), ask(), "?group=category")
    assert grouped["count"] == "1 integration by category, then trouble"


def test_an_overview_of_nothing_says_how_to_begin():
    props = overview.content(found(), ask(), "")
    assert (props["first"], props["full"]) == ("", "stack gone")
    assert props["title"] == "There is no integration here yet"
    assert props["rows"] == []


def test_never_any_traffic_is_told_from_none_in_this_time():
    idle = make_health(status="idle", proxied=0, recorded=0)
    never = health.content("one", idle, idle, health.Present(None), ask())
    quiet = health.content("one", idle, idle, health.Present(NOW - 3 * 3_600_000_000), ask())
    assert (never["full"], never["empty"]) == ("stack gone", "")
    assert (quiet["full"], quiet["empty"]) == ("stack", "gone")
    assert quiet["quiet"].startswith("No exchange in this time. The newest one was 3\u202fh ago")


def test_the_sentence_is_shown_without_its_marks():
    props = health.content("one", make_health(), make_health(), health.Present(NOW), ask())
    assert props["sentence"] == "8.2 % of POST /x failed."
    assert props["status"] == "■ Failing"
    assert props["evidence"] == "Show the 80 bad exchanges"
    assert props["evidence_href"] == "/integrations/one/exchanges?verdict=bad"
