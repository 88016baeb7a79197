import json
from types import SimpleNamespace

import pytest
from dash import html
from dash_builders import make_exchange, make_objective
from plotly.utils import PlotlyJSONEncoder

from app.queries.results import CaptureView, Siblings
from dashboards import theme, words
from dashboards.components import objective, states, strip
from dashboards.components.strip import Figure, Place
from dashboards.components.texts import badge, badge_class, shown, term
from dashboards.components.waterfall import Stage, waterfall
from dashboards.meanings import parse
from dashboards.pages import exchange

T = "\u202f"


def as_json(component):
    return json.loads(json.dumps(component, cls=PlotlyJSONEncoder))


def nodes(component):
    """Every component in a tree, itself first."""
    yield component
    children = getattr(component, "children", None)
    for child in children if isinstance(children, list) else [children]:
        if hasattr(child, "to_plotly_json"):
            yield from nodes(child)


def strings(component):
    for node in nodes(component):
        children = getattr(node, "children", None)
        for child in children if isinstance(children, list) else [children]:
            if isinstance(child, str):
                yield child


@pytest.mark.parametrize("status", [*words.STATUSES, "brand_new"])
def test_a_status_is_an_icon_and_a_word_before_it_is_a_colour(status):
    shown_badge = badge(status)
    icon, word = shown_badge.children.split(" ", 1)
    assert icon in "■▲●○‖"
    assert word[0].isupper()
    assert badge_class(status).startswith("badge tone-")


@pytest.mark.parametrize(
    ("troubled", "all_of", "sentence"),
    [
        (0, 0, "There is no integration here yet"),
        (0, 9, "No integration needs a person"),
        (1, 9, "One integration needs a person"),
        (3, 9, "Three integrations need a person"),
        (1200, 5000, "1,200 integrations need a person"),
    ],
)
def test_the_overview_opens_with_a_sentence(troubled, all_of, sentence):
    assert words.opening(troubled, all_of) == sentence


def test_a_term_carries_its_definition_for_eye_and_ear():
    shown_term = as_json(term("Errors", "error_ratio"))["props"]
    assert shown_term["data-tip"] == shown_term["aria-description"]
    assert "Bad / (good + bad)" in shown_term["data-tip"]


def test_a_part_is_there_or_gone():
    assert shown(True, "quiet") == "quiet"
    assert shown(False, "quiet") == "quiet gone"
    assert shown(False) == "gone"


def test_a_strip_has_a_value_for_each_of_its_outputs():
    places = (Place("a", "A", "exchanges"), Place("b", "B", "p95"))
    figures = [Figure("1"), Figure("2", "+1", "note", "bad", shown=False)]
    ids = {
        node.id for node in nodes(strip.strip("x", places)) if getattr(node, "id", None) is not None
    }
    outputs = strip.outputs("x", places)
    assert len(strip.props(figures)) == len(outputs)
    assert {name for name, _ in outputs} <= ids
    assert "cell tone-bad gone" in strip.props(figures)


@pytest.mark.parametrize(
    ("left", "said", "width", "tone"),
    [
        (objective.Left(0.61, 0.39, 900, 5), f"61.0{T}% left", "61.0%", "ok"),
        (objective.Left(0.2, 0.8, 900, 5), f"20.0{T}% left", "20.0%", "warn"),
        (objective.Left(-3.95, 4.95, 900, 50), "5.0× spent", "100.0%", "bad"),
        (objective.Left(None, None, 0, 0), "–", "0", None),
    ],
)
def test_a_budget_says_what_is_left_or_how_often_it_is_spent(left, said, width, tone):
    classes, name, headline, style, _detail = objective.props(make_objective(), left)
    assert name == f"95{T}% under 800{T}ms"
    assert (headline, style["width"]) == (said, width)
    assert classes == (f"objective tone-{tone}" if tone else "objective")


def test_the_outputs_of_an_objective_exist_and_have_values():
    made = objective.objective("o")
    ids = {node.id for node in nodes(made) if getattr(node, "id", None) is not None}
    assert {name for name, _ in objective.outputs("o")} == ids
    assert len(objective.HIDDEN) == len(objective.outputs("o"))


def test_stages_follow_one_another_on_one_scale():
    bars = [
        node.style
        for node in nodes(waterfall([Stage("a", 10.0), Stage("b", None), Stage("c", 30.0)]))
        if getattr(node, "className", "") == "span"
    ]
    assert bars == [
        {"marginLeft": "0.00%", "width": "max(2px, 25.00%)"},
        {"marginLeft": "25.00%", "width": "0"},
        {"marginLeft": "25.00%", "width": "max(2px, 75.00%)"},
    ]


@pytest.mark.parametrize("stages", [[], [Stage("a", 0.0)], [Stage("a", None)]])
def test_a_waterfall_without_time_is_still_one(stages):
    assert isinstance(waterfall(stages), html.Div)


def test_the_stages_of_an_exchange_add_up_to_its_total():
    view = make_exchange()
    assert sum(stage.length_ms for stage in exchange.stages(view)) == pytest.approx(view.total_ms)


def test_the_page_of_a_missing_integration_never_says_which_it_is():
    assert as_json(states.not_found("integration")) == as_json(states.not_found("integration"))
    assert not any("globex" in text for text in strings(states.not_found("integration")))


def test_an_empty_integration_gives_the_two_lines_that_fill_it():
    said = list(strings(states.no_traffic("one", "10.0.0.1:80", "10.0.0.1:81")))
    assert "curl -i http://10.0.0.1:80/one/" in said
    assert 'curl -i -H "Authorization: Bearer $TOKEN" http://10.0.0.1:81/' in said


HOSTILE = "<script>alert(1)</script> javascript:alert(1) \u202e\x00" + "A" * 1_000_000


def test_everything_from_the_wire_goes_in_as_text(monkeypatch):
    capture = CaptureView(
        HOSTILE, ((HOSTILE, HOSTILE),) * 200, HOSTILE, True, (("a", "b"),), HOSTILE, False
    )
    view = make_exchange(
        operation=HOSTILE, path=HOSTILE, error=HOSTILE, error_detail=HOSTILE, topic=HOSTILE,
        installation=HOSTILE, customer=HOSTILE, delivery=HOSTILE, trace_id=HOSTILE,
        capture=capture, captured=True,
    )  # fmt: skip
    monkeypatch.setattr(exchange, "get_exchange", lambda *_: view)
    beside = Siblings(attempts=(view, view), trace=(view, view), before=(view,), after=(view,))
    monkeypatch.setattr(exchange, "siblings", lambda *_: beside)
    monkeypatch.setattr(exchange.asking, "reading", lambda: None)
    monkeypatch.setattr(exchange, "current_scope", lambda: None)
    listening = SimpleNamespace(outbound_bind="127.0.0.1:8080", inbound_bind="127.0.0.1:8081")
    running = {"midspan": SimpleNamespace(settings=listening)}
    monkeypatch.setattr(exchange, "current_app", SimpleNamespace(extensions=running))
    page = exchange.layout(view.id)
    links = [node.href for node in nodes(page) if getattr(node, "href", None)]
    assert all(link.startswith(("/integrations/", "/exchanges/")) for link in links)
    assert not any(type(node).__name__ in {"Markdown", "Iframe", "Script"} for node in nodes(page))
    assert len(json.dumps(page, cls=PlotlyJSONEncoder)) < 400_000
    assert "\u202e" not in "".join(strings(page))
    assert any("<script>alert(1)</script>" in text for text in strings(page))


def test_the_error_reference_is_read_as_it_is_printed():
    table = (
        "# Errors\n| code | outcome | answered | means | do |\n| --- | --- | --- | --- | --- |\n"
        "| `dns_failed` | `dns_error` | 502 | Not found. | Check. |\n"
    )
    assert parse(table) == {"dns_failed": ("Not found.", "Check.")}


def _luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [theme.LIGHT, theme.DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        *((text, ground) for text in ("text", "dim") for ground in ("page", "panel", "hover")),
        ("accent", "panel"),
        ("accent", "page"),
        ("accent", "accent-soft"),
        ("text", "accent-soft"),
        ("bad", "bad-soft"),
        ("bad", "panel"),
        ("warn", "warn-soft"),
        ("warn", "panel"),
        ("ok", "ok-soft"),
        ("ok", "panel"),
        ("tip-text", "tip"),
    ],
)
def test_text_can_be_read_on_its_ground(scheme, text, ground):
    assert contrast(scheme[text], scheme[ground]) >= 4.5


def test_both_schemes_name_the_same_colours():
    assert theme.LIGHT.keys() == theme.DARK.keys()
    with pytest.raises(KeyError):
        theme.colour("puce")
