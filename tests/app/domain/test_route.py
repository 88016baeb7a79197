"""The routing file: what is written is what is read, and nothing damaged is believed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.route import (
    EMPTY_TABLE,
    Limits,
    Route,
    RouteTable,
    Timeouts,
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
    ),
    operations=st.lists(texts, max_size=3).map(tuple),
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
        damaged(lambda table: table["routes"][0].pop("timeouts")),
        damaged(lambda table: table["routes"][0].update(colour="red")),
        damaged(lambda table: table["routes"][0]["limits"].update(colour="red")),
        damaged(lambda table: table.update(routes=[7])),
    ],
)
def test_a_damaged_file_is_refused_with_one_kind_of_error(raw):
    with pytest.raises(ValueError, match=r"routing file|Expecting|decode"):
        decode_table(raw)


def test_a_file_of_another_version_says_so():
    with pytest.raises(ValueError, match="version 9"):
        decode_table(damaged(lambda table: table.update(version=9)))
