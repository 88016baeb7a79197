"""Exchanges as they are stored."""

import itertools

import pytest

from app.domain.operation import MAX_OPERATIONS, OTHER
from app.domain.outcome import judge
from app.domain.route import Route, RouteTable
from app.domain.words import Direction, Kind, Outcome
from app.store.port import StoredExchange
from collectors.loader.classify import DETAIL_CHARS, PATH_CHARS, Classifier, Cleaner
from collectors.record import Capture, Exchange
from tests.collectors.loader.loader_fakes import exchange

AS_IT_IS = Cleaner(paths=lambda paths: paths, detail=lambda detail: detail)


def table(*operations: str) -> RouteTable:
    return RouteTable(1, "Acme", None, (Route("globex", "globex", operations=operations),))


def names(classifier: Classifier, *paths: str) -> list[str]:
    rows = classifier.classify([exchange(path=path) for path in paths]).rows
    return [row.operation for row in rows]


def test_a_row_has_every_fact_of_its_record():
    given = exchange(
        direction=1, kind=1, topic="orders.created", outcome=Outcome.TIMEOUT, status=0,
        error="request_timeout", error_detail="too slow", delivery="dlv-1", attempt=3,
        trace_id="ab", capture=Capture([], b"", [], b""),
    )  # fmt: skip
    [row] = Classifier(AS_IT_IS).classify([given]).rows
    derived = {"operation": "webhook orders.created", "fault": 1, "verdict": 1, "captured": True}
    for name in StoredExchange._fields:
        expected = derived[name] if name in derived else getattr(given, name)
        assert getattr(row, name) == expected, name
    assert {field for field in Exchange.__struct_fields__ if field not in row._fields} == {
        "capture"
    }


@pytest.mark.parametrize(("direction", "outcome"), list(itertools.product(Direction, Outcome)))
def test_fault_and_verdict_are_those_of_the_table_as_bare_numbers(direction, outcome):
    [row] = Classifier(AS_IT_IS).classify([exchange(direction=direction, outcome=outcome)]).rows
    assert (row.fault, row.verdict) == judge(direction, outcome, 200, "")
    assert type(row.fault) is int  # a database driver is slow with anything else
    assert type(row.verdict) is int


@pytest.mark.parametrize("word", [{"direction": 2}, {"kind": 9}, {"outcome": 77}])
def test_a_word_without_meaning_is_counted_and_left_out(word):
    rows, captured, rejected = Classifier(AS_IT_IS).classify([exchange(**word), exchange()])
    assert (len(rows), captured, rejected) == (1, [], {"unknown_word": 1})


def test_only_exchanges_with_evidence_are_handed_on_for_scrubbing():
    evidence = exchange(capture=Capture([], b"x", [], b""))
    rows, captured, _ = Classifier(AS_IT_IS).classify([exchange(), evidence])
    assert captured == [evidence]
    assert [row.captured for row in rows] == [False, True]


def test_operations_follow_the_routing_table_from_when_it_is_used():
    classifier = Classifier(AS_IT_IS)
    assert names(classifier, "/v1/issues/x") == ["GET /v1/issues/x"]
    classifier.use(table("GET /v1/issues/{id}"))
    assert names(classifier, "/v1/issues/x") == ["GET /v1/issues/{id}"]
    classifier.use(table())
    assert names(classifier, "/v1/issues/x") == ["GET /v1/issues/x"]


def test_the_cap_on_operations_holds_across_restarts_and_per_integration():
    known = {("globex", 0, 0): {f"GET /n{i}x" for i in range(150)},
             ("globex", 1, 1): {f"webhook t{i}" for i in range(50)}}  # fmt: skip
    classifier = Classifier(AS_IT_IS, known)
    assert sum(map(len, known.values())) == MAX_OPERATIONS
    assert names(classifier, "/n3x", "/new") == ["GET /n3x", OTHER]
    [row] = classifier.classify([exchange(integration="initech", path="/new")]).rows
    assert row.operation == "GET /new"


def test_the_scrubbed_path_is_stored_and_named():
    cleaner = Cleaner(paths=lambda paths: ["/v1/[scrubbed:00000000]"] * len(paths), detail=str)
    [row] = Classifier(cleaner).classify([exchange(path="/v1/secret")]).rows
    assert (row.path, row.operation) == ("/v1/[scrubbed:00000000]", "GET /v1/{id}")


def test_an_error_detail_is_cleaned_once_for_all_that_share_it():
    cleaned: list[str] = []

    def detail(text: str) -> str:
        cleaned.append(text)
        return "clean"

    classifier = Classifier(Cleaner(paths=lambda paths: paths, detail=detail))
    rows = classifier.classify([exchange(error_detail="dirty"), exchange()] * 50).rows
    assert {row.error_detail for row in rows} == {"clean", ""}
    assert cleaned == ["dirty"]


def test_texts_of_any_length_are_cut_to_what_is_stored():
    given = exchange(path="/" + "a" * 9000, error_detail="b" * 9000)
    [row] = Classifier(AS_IT_IS).classify([given]).rows
    assert (len(row.path), len(row.error_detail)) == (PATH_CHARS, DETAIL_CHARS)


def test_many_different_failures_do_not_fill_the_memory():
    classifier = Classifier(AS_IT_IS)
    for start in range(0, 60_000, 6_000):
        classifier.classify([exchange(error=f"e{start + i}", outcome=2) for i in range(6_000)])
    assert len(classifier._judgements) <= 16_000


def test_kinds_and_directions_share_nothing_but_the_integration():
    rows = Classifier(AS_IT_IS).classify(
        [exchange(kind=kind, topic="t", direction=direction)
         for kind, direction in itertools.product(Kind, Direction)]
    ).rows  # fmt: skip
    assert [row.operation for row in rows] == ["GET /v1/issues/{id}"] * 2 + ["webhook t"] * 2
