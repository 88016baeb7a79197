"""The routing file: what is written is what is read, and nothing damaged is believed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.route import (
    EMPTY_TABLE,
    Breaker,
    CapturePolicy,
    Limits,
    Ramp,
    Route,
    RouteTable,
    Timeouts,
    TlsFiles,
    decode_table,
    encode_table,
)

texts = st.text(max_size=20)
counts = st.integers(min_value=1, max_value=10**9)
maybe = st.none() | counts
routes = st.builds(
    Route,
    integration=texts,
    partner=texts,
    api_base_url=st.none() | texts,
    webhook_url=st.none() | texts,
    inbound_token_sha256=st.lists(texts, max_size=3).map(tuple),
    allow_private_addresses=st.booleans(),
    timeouts=st.builds(Timeouts, counts, counts, counts, counts),
    limits=st.builds(
        Limits,
        requests_per_second=st.none() | st.floats(0.1, 1e6),
        burst=maybe,
        concurrency=maybe,
        body_bytes=counts,
        queue=counts,
        queue_ms=counts,
    ),
    operations=st.lists(texts, max_size=3).map(tuple),
    ramp=st.none() | st.builds(Ramp, st.floats(0.1, 9), st.floats(9, 1e6), counts, counts),
    breaker=st.none() | st.builds(Breaker, st.floats(0.1, 1), counts, counts, counts, counts),
    paused=st.booleans(),
    capture=st.sampled_from(CapturePolicy),
    tls=st.builds(TlsFiles, st.none() | texts, st.none() | texts, st.none() | texts),
)
tables = st.builds(
    RouteTable, counts, texts, st.none() | texts, st.lists(routes, max_size=4).map(tuple)
)


@given(tables)
def test_a_table_is_read_as_it_was_written(table):
    assert decode_table(encode_table(table)) == table


def test_the_empty_table_survives_too():
    assert decode_table(encode_table(EMPTY_TABLE)) == EMPTY_TABLE


def damaged(change) -> bytes:
    document = json.loads(encode_table(RouteTable(1, "Acme", None, (Route("a", "b"),))))
    change(document)
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b"\xff\xfe",
        damaged(lambda table: table.update(version=2)),
        damaged(lambda table: table.pop("revision")),
        damaged(lambda table: table.pop("routes")),
        damaged(lambda table: table["routes"][0].pop("partner")),
        damaged(lambda table: table["routes"][0].update(timeouts=5)),
        damaged(lambda table: table["routes"][0].update(ramp={"from_rate": 1})),
        damaged(lambda table: table["routes"][0].update(capture="all")),
        damaged(lambda table: table.update(routes=[7])),
    ],
)
def test_a_damaged_file_is_refused_with_one_kind_of_error(raw):
    with pytest.raises(ValueError, match=r"routing file|Expecting|decode|valid CapturePolicy"):
        decode_table(raw)


def test_an_older_file_has_the_defaults_for_what_it_does_not_say():
    def age(table):
        for name in ("ramp", "breaker", "paused", "capture", "tls", "timeouts", "operations"):
            del table["routes"][0][name]
        del table["routes"][0]["limits"]["queue"]

    assert decode_table(damaged(age)).routes == (Route("a", "b"),)


def test_what_only_a_newer_version_knows_is_passed_over():
    def grow(table):
        table["colour"] = "red"
        table["routes"][0]["colour"] = "red"
        table["routes"][0]["limits"]["colour"] = "red"
        table["routes"][0]["breaker"]["colour"] = "red"

    assert decode_table(damaged(grow)).routes == (Route("a", "b"),)


def test_a_file_of_another_version_says_so():
    with pytest.raises(ValueError, match="version 9"):
        decode_table(damaged(lambda table: table.update(version=9)))
