import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.message import MAX_CHARS, normalised, said


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("", ""),
        ("connection refused", "connection refused"),
        ("no row 4711 in 17 ms", "no row {n} in {n} ms"),
        ("took 10s, 1,234.5 of 200ms", "took {n}s, {n} of {n}ms"),
        ("refused by 10.0.0.1:8443", "refused by {n}"),
        ("id 6f9619ff-8b86-d011-b42d-00cf4fc964ff!", "id {uuid}!"),
        ("at 2026-11-22T10:00:00.123Z and 2026-11-22", "at {time} and {time}"),
        ("hash DEADBEEF12, 0x1f, cafe", "hash {hex}, {hex}, cafe"),
        ("key inst_9f8a7b of inst-7, PROJ-12", "key inst_{id} of inst-{n}, PROJ-{n}"),
        ("oauth2 needs sha256", "oauth{n} needs sha{n}"),
        ("column \"team_id\" of 'issues'", "column '…' of '…'"),
        ("can't find the user's page", "can't find the user's page"),
        ("token [scrubbed:0a1b2c3d] revoked", "token [scrubbed] revoked"),
        ("two\r\n\tlines\x00 and \x1b[31m", "two lines and [{n}m"),
    ],
)
def test_what_differs_from_one_to_the_next_is_named(text, means):
    assert normalised(text) == means


VALUES = st.one_of(
    st.uuids().map(str),
    st.integers(0, 10**18).map(str),
    st.floats(0, 1e9, allow_nan=False).map(lambda value: f"{value:.3f}"),
    st.datetimes().map(lambda at: at.isoformat() + "Z").filter(lambda text: text[4] == "-"),
    st.from_regex(r"\A[0-9a-f]{4}[0-9][a-f][0-9a-f]{4,20}\Z"),
    st.from_regex(r"\A'[a-z ]{1,30}'\Z"),
    st.from_regex(r"\A\"[a-z0-9 ]{1,30}\"\Z"),
)
KINDS = [st.uuids().map(str), st.integers(0, 10**18).map(str), st.from_regex(r"\A'[a-z ]{1,9}'\Z")]


@pytest.mark.parametrize("values", KINDS)
def test_the_same_about_another_thing_is_the_same(values):
    @given(values, values)
    def check(one, other):
        text = "no such thing {} in this place"
        assert normalised(text.format(one)) == normalised(text.format(other))

    check()


@given(VALUES)
def test_no_value_is_left_in_what_a_failure_means(value):
    assert value not in normalised(f"about {value} nothing is known")


@given(st.text(max_size=400))
def test_it_is_short_and_on_one_line_whatever_the_text(text):
    found = normalised(text)
    assert len(found) <= MAX_CHARS
    assert not any(ord(letter) < 32 for letter in found)


# Without quotes: of three, what lies between the last two is read once the first pair is named.
@given(st.text(alphabet="ab1-_{}. []0x", max_size=60))
def test_what_has_no_variable_part_left_stays_as_it_is(text):
    once = normalised(text)
    assert normalised(normalised(once)) == normalised(once)


@pytest.mark.parametrize(
    "text", ["a" * 5_000_000, "'" * 5_000_000, "1a" * 2_000_000, "a-" * 2_000_000, "<" * 5_000_000]
)
def test_a_megabyte_of_malice_costs_no_time(text):
    begun = time.perf_counter()
    normalised(text)
    said("", text)
    said("", '"message": "' + text)
    assert time.perf_counter() - begun < 1


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ('{"message": "no \\"row\\""}', 'no "row"'),
        ('{"error": {"code": "E17", "message": "cut off he', "cut off he"),
        ('{"code": "E17", "error": "invalid_grant"}', "invalid_grant"),
        ('{"errors": [{"detail": "name is empty"}]}', "name is empty"),
        ('{"ok": false}', ""),
        ("<html><head><title>502 Bad Gateway</title>", "502 Bad Gateway"),
        ("<p>\n<b>Upstream</b> away</p>", "Upstream  away"),
        ("\n\nplain words\nmore", "plain words"),
        ("[binary 812 bytes]", ""),
        ("", ""),
    ],
)
def test_the_telling_part_of_an_answer_is_found(body, says):
    assert said("", body).strip() == says


def test_the_errors_own_words_come_first():
    assert said("connection refused", '{"message": "no"}') == "connection refused"
