"""Captured bodies: unpacked within bounds, scrubbed as what they are, or named as binary."""

import gzip
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.loader.body import UNPACKED_BYTES, scrub_body
from collectors.loader.scrub import Scrubber

SCRUBBER = Scrubber("a secret of at least thirty-two letters")
SECRET = json.dumps({"password": "cana77", "b": "ü"}).encode()


def scrubbed(raw: bytes, *headers: tuple[str, str], total: int | None = None) -> bytes:
    return scrub_body(SCRUBBER, raw, headers, len(raw) if total is None else total)


def raw_deflate(plain: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(plain) + packer.flush()


@pytest.mark.parametrize(
    ("raw", "headers"),
    [
        (SECRET, []),
        (gzip.compress(SECRET), [("Content-Encoding", "gzip")]),
        (gzip.compress(SECRET), [("content-encoding", "X-GZIP")]),
        (gzip.compress(SECRET), []),
        (zlib.compress(SECRET), [("content-encoding", "deflate")]),
        (raw_deflate(SECRET), [("content-encoding", "deflate")]),
        (gzip.compress(gzip.compress(SECRET)), [("content-encoding", "gzip, gzip")]),
        (SECRET, [("content-encoding", "gzip")]),  # a header that lies
        (SECRET, [("content-encoding", "identity")]),
    ],
    ids=range(9),
)
def test_a_packed_body_is_stored_unpacked_and_scrubbed(raw, headers):
    found = json.loads(scrubbed(raw, *headers))
    assert found["password"].startswith("[scrubbed:")
    assert found["b"] == "ü"


def test_of_a_cut_packed_body_what_comes_out_is_scrubbed():
    plain = b'{"password": "cana77", "items": [' + b'"abc", ' * 2000
    found = scrubbed(gzip.compress(plain)[:-12], ("content-encoding", "gzip"), total=99_999)
    assert found.startswith(b'{"password": "[scrubbed:')
    assert b"cana77" not in found


def test_a_bomb_is_unpacked_only_so_far():
    bomb = gzip.compress(b"a" * 50_000_000)
    assert len(scrubbed(bomb, ("content-encoding", "gzip"))) == UNPACKED_BYTES


def test_a_bomb_inside_a_bomb_is_too():
    bomb = gzip.compress(gzip.compress(b"a" * 5_000_000))
    assert len(scrubbed(bomb, ("content-encoding", "gzip, gzip"))) <= UNPACKED_BYTES


@pytest.mark.parametrize(
    ("raw", "headers", "total"),
    [
        (b"\x89PNG\r\n\x1a\n\x00", [], 4_000),
        (b"looks like text", [("content-type", "image/png")], 15),
        (b"password=cana77", [("content-type", "application/octet-stream")], 15),
        (b"\xff\xfe\xfd\xfc\xfb", [], 5),
        (b"a\x00b", [("content-type", "text/plain")], 3),
    ],
    ids=range(5),
)
def test_what_is_no_text_is_named_with_its_length(raw, headers, total):
    assert scrubbed(raw, *headers, total=total) == b"[binary %d bytes]" % total


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, br"])
def test_a_compression_that_is_not_undone_is_named(coding):
    raw = b"says nothing \xc3\x28 to us"
    name = coding.split()[-1].encode()
    assert scrubbed(raw, ("content-encoding", coding), total=900) == b"[%s 900 bytes]" % name


def test_no_body_stays_none():
    assert scrubbed(b"", ("content-type", "image/png")) == b""


def test_a_letter_cut_in_two_is_left_out():
    assert scrubbed("ab€".encode()[:-1], total=900) == b"ab"
    assert scrubbed("ab😀".encode()[:-1], total=900) == b"ab"


@pytest.mark.parametrize("charset", ["iso-8859-1", "windows-1252", '"ISO-8859-1"'])
def test_another_charset_is_stored_as_utf_8(charset):
    raw = "naïve password=cana77".encode("latin-1")
    found = scrubbed(raw, ("content-type", f"text/plain; charset={charset}"))
    assert found.startswith("naïve password=[scrubbed:".encode())


def test_utf_16_hides_nothing():
    raw = '{"password": "cana77"}'.encode("utf-16")
    found = scrubbed(raw, ("content-type", "application/json; charset=utf-16"))
    assert json.loads(found)["password"].startswith("[scrubbed:")


def test_a_form_is_read_as_a_form():
    raw = b"client%5fsecret=cana77&b=2"
    found = scrubbed(raw, ("content-type", "application/x-www-form-urlencoded; charset=utf-8"))
    assert b"cana77" not in found
    assert found.endswith(b"&b=2")


def test_a_body_that_was_cut_hides_half_a_card_number():
    raw = b'{"note": "4111 1111 1111 11'
    assert b"4111" not in scrubbed(raw, total=9_000)
    assert scrubbed(raw) == raw


@given(
    st.binary(max_size=300),
    st.sampled_from(["", "gzip", "deflate", "br", "gzip, deflate", ",,"]),
    st.sampled_from(["", "application/json", "text/html; charset=utf-16", "multipart/form-data"]),
)
def test_whatever_came_text_or_a_note_is_stored(raw, encoding, kind):
    found = scrubbed(raw, ("content-encoding", encoding), ("content-type", kind))
    assert found.decode("utf-8", "strict").encode() == found


@given(
    st.dictionaries(st.text(max_size=8), st.text(max_size=20) | st.integers() | st.none()),
    st.sampled_from([(bytes, ""), (bytes, "gzip"), (bytes, "br"), (gzip.compress, "gzip")]),
    st.sampled_from(["", "application/json", "text/plain", "multipart/form-data"]),
)
def test_a_password_is_hidden_whatever_stands_beside_it_and_whatever_is_said_of_it(
    beside, sent_as, kind
):
    pack, encoding = sent_as
    raw = pack(json.dumps({**beside, "password": "cana77"}).encode())
    found = scrubbed(raw, ("content-encoding", encoding), ("content-type", kind))
    assert b"cana77" not in found
