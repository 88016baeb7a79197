"""What happened, drawn into a chart: trouble, incidents, notes."""

from dataclasses import dataclass

from dash_builders import make_series, make_window

from app.domain.window import MINUTE_US, Window
from app.queries.results import IncidentTime, NoteView
from dashboards.figures.marks import Marks, marked
from dashboards.figures.traffic import traffic

WINDOW = make_window()


@dataclass
class Trouble:
    window: Window
    status: str = "failing"


def drawn(*, named=True, **marks):
    return marked(traffic(make_series(), None, WINDOW), WINDOW, Marks(**marks), named=named)


def incident(number, at_us, **fields):
    return IncidentTime(number, "P1", fields.get("said", "errors"), at_us,
                        fields.get("until_us"), False)  # fmt: skip


def note(at_us, text="Release 4.2"):
    return NoteView(1, "globex-issues", at_us, "deploy", text, "ann", at_us)


def flags(figure):
    return [each for each in figure["layout"]["annotations"] if each["text"].startswith("⚑")]


def test_an_incident_is_a_line_with_a_flag_that_tells_of_it():
    at_us = WINDOW.start_us + 10 * MINUTE_US
    figure = drawn(incidents=[incident(218, at_us)])
    [line] = [each for each in figure["layout"]["shapes"] if each["type"] == "line"]
    assert line["x0"] == line["x1"]
    [flag] = flags(figure)
    assert flag["text"].startswith("⚑ incident 218 from ")
    assert flag["hovertext"].startswith("P1 · incident 218 · ")
    assert "firing<br>errors" in flag["hovertext"]
    assert flag["x"] == line["x0"]


def test_of_many_incidents_one_is_named_and_each_has_its_line():
    times = [WINDOW.start_us + place * 5 * MINUTE_US for place in range(4)]
    figure = drawn(incidents=[incident(place, at_us) for place, at_us in enumerate(times)])
    assert [each["text"][:2].strip() for each in flags(figure)] == ["⚑"] * 4
    assert [len(each["text"]) > 1 for each in flags(figure)] == [False, False, False, True]
    assert len([each for each in figure["layout"]["shapes"] if each["type"] == "line"]) == 4


def test_an_incident_that_began_before_the_window_has_no_line_in_it():
    assert flags(drawn(incidents=[incident(1, WINDOW.start_us - MINUTE_US)])) == []


def test_a_chart_that_names_nothing_has_flags_alone():
    figure = drawn(
        named=False, incidents=[incident(1, WINDOW.start_us)], notes=[note(WINDOW.start_us)]
    )
    assert [each["text"] for each in figure["layout"]["annotations"][-2:]] == ["⚑", "◆"]


def test_foreign_words_of_an_incident_are_no_markup():
    figure = drawn(incidents=[incident(1, WINDOW.start_us, said="<b>\u202e")])
    assert "<b>" not in flags(figure)[0]["hovertext"].split("<br>", 1)[1]
    assert "\u202e" not in flags(figure)[0]["hovertext"]


def test_trouble_is_shaded_and_named_where_nothing_else_is():
    trouble = Trouble(Window(WINDOW.start_us, WINDOW.start_us + MINUTE_US))
    figure = drawn(troubles=[trouble])
    assert figure["layout"]["shapes"][0]["type"] == "rect"
    assert "■ failing from" in figure["layout"]["annotations"][-1]["text"]
    beside = drawn(troubles=[trouble], incidents=[incident(1, WINDOW.start_us)])
    assert not any("failing from" in each["text"] for each in beside["layout"]["annotations"])
