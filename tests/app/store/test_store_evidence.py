"""How a capture lies in the database."""

import zlib

import msgspec

from app.store.evidence import pack, unpack
from app.store.port import StoredCapture

ID = bytes(16)


def test_a_capture_is_unpacked_as_it_was_packed():
    capture = StoredCapture(ID, (("a", "1"), ("a", "2")), b"q\xff", (), b"", "page=2")
    assert unpack(ID, pack(capture)) == capture


def test_a_capture_of_the_first_version_had_no_query():
    old = zlib.compress(msgspec.msgpack.encode(((("a", "1"),), b"q", (), b"x")))
    assert unpack(ID, old) == StoredCapture(ID, (("a", "1"),), b"q", (), b"x", "")
