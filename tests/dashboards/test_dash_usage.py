"""The page of usage: what its callback writes, and the pure parts it is made of."""

import pytest

from app import queries
from app.queries.usage_days import Cohort
from dashboards.figures.usage import active, named
from dashboards.mount import mount
from dashboards.pages import usage_rows
from tests.app.queries.test_usage import use, window
from tests.app.web_world import GLOBEX, INSIDE, SLUGS, World, copy_of, make_template
from tests.dashboards.test_dash_cross_tenant import UPDATE, call_of, on_server

SLUG = SLUGS[0]


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    home = tmp_path_factory.mktemp("usage") / "template"
    return home, make_template(home)


@pytest.fixture
def world(template, tmp_path):
    home, tokens = template
    made = World(copy_of(home, tmp_path / "home"), tokens)
    yield made
    made.close()


@pytest.fixture
def asked(world):
    """What the page's callback answers a role."""
    dash = mount(world.app, world.settings)
    [(output, wanted)] = [
        (output, wanted) for output, wanted in on_server(dash).items() if "usage-body" in output
    ]

    def ask(search: str = "", slug: str = SLUG, role: str = "globex") -> dict:
        values = {"pathname": f"/integrations/{slug}/usage", "search": search}
        answer = world.client(role).post(UPDATE, json=call_of(output, wanted, values))
        assert answer.status_code == 200
        return answer.json["response"]

    return ask


def test_the_page_says_who_uses_it_in_whole_days(world, asked):
    world.load([use(age, f"inst-{n}") for n in range(6) for age in (1, 2, 40)])
    told = asked()
    sentence = told["usage-sentence"]["children"]
    assert sentence == "6 installations used it in 28 days, as many as before."
    assert told["usage-period"]["children"].startswith("Last 28")
    assert len(told["usage-customers"]["rowData"]) == 6
    assert told["usage-csv"]["href"].startswith(f"/api/v1/integrations/{SLUG}/usage.csv?from=")
    assert told["usage-empty"]["className"] == "gone"
    assert told["usage-callers-panel"]["className"] == "gone"


def test_a_time_in_the_address_is_kept(world, asked):
    world.load([use(40)])
    told = asked("?from=2025-10-01T00:00:00Z&to=2025-10-20T00:00:00Z")
    assert told["usage-sentence"]["children"].startswith("1 installation used it in 19 days")


def test_over_a_year_is_said_and_the_usual_time_is_shown(world, asked):
    world.load([use(1)])
    told = asked("?window=380d")
    assert "at most 366 days" in told["usage-problem"]["children"]
    assert told["usage-sentence"]["children"].startswith("1 installation used it in 28 days")


def test_an_integration_that_nobody_uses_says_how_to_begin(world, asked):
    told = asked(slug=INSIDE, role="builder")
    assert told["usage-empty"]["className"] == ""
    assert "gone" in told["usage-full"]["className"]


@pytest.mark.parametrize("number", [0, 1, 40])
def test_the_charts_name_every_line_or_say_that_there_is_none(world, number):
    if number:
        world.load([use(age) for age in range(number)])
    days = queries.usage(world.reading, GLOBEX, SLUG, window(max(number, 1))).days
    for draw in (active, named):
        figure = draw(days)
        said = " ".join(each["text"] for each in figure["layout"]["annotations"])
        assert ("no " in said) == (not number)


def test_a_cohort_shows_shares_and_leaves_weeks_to_come_empty():
    [row] = usage_rows.cohort_rows([Cohort(20_408, 8, (8, 4))])
    assert row["week_at_text"] == "week of 16 Nov"
    assert (row["w0_text"], row["w1_text"], row["w2_text"]) == ("100\u202f%", "50.0\u202f%", " ")
    assert row["w1_tip"] == "4 of 8"
    assert usage_rows.cohort_rows([Cohort(20_000, 0, (0,))])[0]["w0_text"] == " "
