"""Files and functions stay small enough to be read whole."""

import statistics

from tests.structure.sources import ROOT, functions, sources

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
MEDIAN_FUNCTION_LINES = 12


def lengths() -> list[tuple[int, str]]:
    return [
        ((node.end_lineno or node.lineno) - node.lineno + 1, f"{name}:{node.name}")
        for name, tree in sources().items()
        for node in functions(tree)
    ]


def test_no_file_is_longer_than_400_lines() -> None:
    long = {
        name: count
        for name in sources()
        if (count := len((ROOT / name).read_text().splitlines())) > MAX_FILE_LINES
    }
    assert not long, f"split by responsibility: {long}"


def test_no_function_is_longer_than_60_lines() -> None:
    long = [entry for entry in lengths() if entry[0] > MAX_FUNCTION_LINES]
    assert not long, f"give the parts names of their own: {long}"


def test_functions_are_short_at_the_median() -> None:
    assert statistics.median(length for length, _ in lengths()) <= MEDIAN_FUNCTION_LINES


def test_every_package_opens_with_its_promise() -> None:
    import ast

    silent = [
        name
        for name, tree in sources().items()
        if name.endswith("__init__.py")
        and name != "app/__init__.py"
        and not ast.get_docstring(tree)
    ]
    assert not silent, f"say what it does, never does, and does when overloaded: {silent}"


def test_app_init_is_empty_so_that_the_domain_stays_light() -> None:
    assert (ROOT / "app/__init__.py").read_text() == ""
