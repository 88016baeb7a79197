"""Ids sort by time, never repeat within a process, and mark the start of a time range."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.ids import exchange_id, format_id, id_floor, parse_id

# 48 bits of milliseconds: until the year 10889.
instants = st.integers(min_value=0, max_value=2**48 * 1000 - 1)
nodes = st.integers(min_value=0, max_value=2**30 - 1)
counters = st.integers(min_value=0, max_value=2**32 - 1)


@given(instants, instants, nodes, nodes, counters, counters)
def test_ids_sort_by_start(one_us, other_us, node, other_node, counter, other_counter):
    one = exchange_id(one_us, node, counter)
    other = exchange_id(other_us, other_node, other_counter)
    if one_us < other_us:
        assert one < other


@given(instants, nodes, counters)
def test_the_floor_of_an_instant_parts_ids_before_it_from_ids_at_it(at_us, node, counter):
    assert id_floor(at_us) <= exchange_id(at_us, node, counter)
    if at_us:
        assert exchange_id(at_us - 1, 2**30 - 1, 2**32 - 1) < id_floor(at_us)


@given(instants, nodes, counters)
def test_an_id_is_a_uuid_of_version_seven_that_is_read_back(at_us, node, counter):
    raw = exchange_id(at_us, node, counter)
    printed = format_id(raw)
    assert len(raw) == 16
    assert parse_id(printed) == raw
    assert uuid.UUID(printed).version == 7
    assert uuid.UUID(printed).variant == uuid.RFC_4122
    assert int.from_bytes(raw[:6], "big") == at_us // 1000


@given(instants, nodes, st.lists(counters, unique=True, min_size=2, max_size=20))
def test_a_process_never_gives_an_id_twice_within_a_microsecond(at_us, node, numbers):
    assert len({exchange_id(at_us, node, number) for number in numbers}) == len(numbers)


def test_the_counter_starts_again_where_its_32_bits_end():
    assert exchange_id(5, 1, 2**32) == exchange_id(5, 1, 0)
    assert exchange_id(5, 2**30, 0) == exchange_id(5, 0, 0)


@pytest.mark.parametrize("text", ["", "7", "not-an-id", "0" * 31, "g" * 32])
def test_what_is_no_id_is_refused(text):
    with pytest.raises(ValueError, match=r"hexadecimal|invalid literal"):
        parse_id(text)
