"""The bar over a list of exchanges and the address it stands for."""

from dashboards.components.attributes import data
from dashboards.pages import exchange_filters, exchanges
from dashboards.pages.exchange_filters import FIRST, MORE, NAMES


def controls(query):
    return {
        each.id.removeprefix("exchanges-filter-"): each.value
        for each in exchange_filters.bar(query)._traverse()
        if hasattr(each, "value")
    }


def test_there_is_a_control_for_everything_that_the_list_can_be_asked_for():
    words = {name for name, _ in exchanges._VOCABULARIES} - {"verdict"}
    assert set(NAMES) == words | exchanges._FIELDS.keys() | exchanges._NUMBERS.keys()
    assert set(controls({})) == set(NAMES)


def test_the_controls_show_what_the_address_asks_for():
    shown = controls({"q": "refused", "outcome": "timeout", "status": "503"})
    assert {name: value for name, value in shown.items() if value} == {
        "q": "refused", "outcome": "timeout", "status": "503",
    }  # fmt: skip


def test_a_word_that_is_none_of_ours_is_not_shown_as_chosen():
    assert controls({"outcome": "exploded", "fault": "<b>"})["outcome"] is None


def test_the_script_is_told_the_names_of_all_controls():
    bar = exchange_filters.bar({})
    told = data(first=" ".join(f.name for f in FIRST), more=" ".join(f.name for f in MORE))
    assert all(getattr(bar, name) == value for name, value in told.items())
