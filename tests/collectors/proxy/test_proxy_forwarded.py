"""Who is believed about callers: forwarding headers, PROXY protocol, and TLS at the listeners."""

import asyncio
import ssl
from ipaddress import ip_network
from pathlib import Path

import pytest

from app.domain.words import Direction
from app.errors import MidspanError
from collectors.proxy.announced import BadAnnouncement, parse_block, parse_line
from collectors.proxy.forwarded import Doors
from collectors.proxy.metrics import TURNED_UNANNOUNCED
from collectors.proxy.server import listener_tls
from tests.collectors.proxy import certificates
from tests.collectors.proxy.kit import Caller, request, run, settings_of, staged

IN = Direction.INBOUND
TRUSTED = (ip_network("10.0.0.0/8"), ip_network("2001:db8::/32"))


def doors(tmp_path: Path, family: str = "x-forwarded") -> Doors:
    return Doors(settings_of(tmp_path, trusted_peers=TRUSTED, forwarded_header=family))


@pytest.mark.parametrize(
    ("peer", "trusted"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("2001:db8::1", True),
        ("2001:db8::1%eth0", True),
        ("11.0.0.1", False),
        ("::ffff:11.0.0.1", False),
        ("unknown", False),
        ("", False),
    ],
)
def test_only_named_networks_are_trusted(tmp_path: Path, peer: str, trusted: bool) -> None:
    assert doors(tmp_path).trusts(peer) == trusted
    assert not Doors(settings_of(tmp_path)).trusts(peer)


#: Family believed, peer, what it says; then chain, host and protocol as told to the platform.
SAID = {
    "nothing": ("x-forwarded", "10.0.0.1", {}, "10.0.0.1", "api", "http"),
    "a chain": (
        "x-forwarded", "10.0.0.1",
        {"x-forwarded-for": ["1.1.1.1, 2001:db8::7", "3.3.3.3"], "x-forwarded-proto": ["HTTPS"]},
        "1.1.1.1, 2001:db8::7, 3.3.3.3, 10.0.0.1", "api", "https",
    ),
    "rubbish": (
        "x-forwarded", "10.0.0.1",
        {"x-forwarded-for": ["<script>, , a b"], "x-forwarded-host": ["a/b"],
         "x-forwarded-proto": ["gopher"]},
        "unknown, unknown, 10.0.0.1", "api", "http",
    ),
    "the family that is not believed": (
        "x-forwarded", "10.0.0.1", {"forwarded": ["for=9.9.9.9;host=evil;proto=https"]},
        "10.0.0.1", "api", "http",
    ),
    "nor the other way round": (
        "forwarded", "10.0.0.1", {"x-forwarded-for": ["9.9.9.9"]}, "10.0.0.1", "api", "http",
    ),
    "elements": (
        "forwarded", "10.0.0.1",
        {"forwarded": ['For="[2001:db8::7]:80";proto=https;Host="a.example:1"', "for=_hidden"]},
        "[2001:db8::7]:80, _hidden, 10.0.0.1", "a.example:1", "https",
    ),
    "a stranger": (
        "forwarded", "192.0.2.1", {"forwarded": ["for=9.9.9.9"], "x-forwarded-for": ["9.9.9.9"]},
        "192.0.2.1", "api", "http",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SAID)
def test_both_families_say_the_same(tmp_path: Path, case: str) -> None:
    family, peer, said, chain, host, proto = SAID[case]
    special = {name.encode(): [each.encode() for each in values] for name, values in said.items()}
    special[b"host"] = [b"api"]
    of = doors(tmp_path, family)
    lines = of.lines(special, IN, of.door(peer, secure=False)).decode().split("\r\n")
    assert lines[0] == f"X-Forwarded-For: {chain}"
    assert lines[1] == f"X-Forwarded-Host: {host}"
    assert lines[2] == f"X-Forwarded-Proto: {proto}"
    first, *rest = lines[3].removeprefix("Forwarded: ").split(", ")
    assert first.endswith(f";proto={proto}")
    nodes = [each.partition(";")[0].removeprefix("for=").strip('"') for each in (first, *rest)]
    assert [node.replace("[2001:db8::7]", "2001:db8::7") for node in nodes] == [
        each.replace("[2001:db8::7]", "2001:db8::7") for each in chain.split(", ")
    ]


LINES = {
    b"PROXY TCP4 192.0.2.7 192.0.2.1 5000 443\r\n": "192.0.2.7",
    b"PROXY TCP6 2001:db8::7 ::1 5000 443\r\n": "2001:db8::7",
    b"PROXY UNKNOWN\r\n": None,
    b"PROXY UNKNOWN ffff::1 ::2 1 2\r\n": None,
}
BAD_LINES = [
    b"PROXY\r\n", b"PROXY TCP4 192.0.2.7 192.0.2.1 5000\r\n", b"PROXY TCP4 ::1 ::1 1 1\r\n",
    b"PROXY TCP4 192.0.2.7 192.0.2.1 70000 1\r\n", b"PROXY UDP4 192.0.2.7 192.0.2.1 1 1\r\n",
    b"PROXY TCP4 192.0.2.7 192.0.2.1 1 1 1\r\n", b"PROXY TCP4  192.0.2.7 192.0.2.1 1 1\r\n",
    b"PROXY TCP4 \xff 192.0.2.1 1 1\r\n",
]  # fmt: skip


def test_a_line_names_the_caller_or_is_refused() -> None:
    for line, caller in LINES.items():
        assert parse_line(line) == caller
    for line in BAD_LINES:
        with pytest.raises(BadAnnouncement):
            parse_line(line)


FOUR = bytes([192, 0, 2, 7, 192, 0, 2, 1, 0, 80, 0, 81])
SIX = bytes.fromhex("20010db8000000000000000000000007") + bytes(20)


def test_a_block_names_the_caller_or_is_refused() -> None:
    assert parse_block(0x21, 0x11, FOUR) == "192.0.2.7"
    assert parse_block(0x21, 0x11, FOUR + b"extension") == "192.0.2.7"
    assert parse_block(0x21, 0x21, SIX) == "2001:db8::7"
    assert parse_block(0x20, 0x11, FOUR) is None
    assert parse_block(0x21, 0x00, b"") is None
    for command, family, body in ((0x31, 0x11, FOUR), (0x21, 0x11, FOUR[:11]), (0x22, 0, b"")):
        with pytest.raises(BadAnnouncement):
            parse_block(command, family, body)


def block(body: bytes = FOUR, command: int = 0x21, family: int = 0x11) -> bytes:
    signature = b"\r\n\r\n\x00\r\nQUIT\n"
    return signature + bytes([command, family]) + len(body).to_bytes(2, "big") + body


LOCAL = (ip_network("127.0.0.0/8"),)
ANNOUNCED = {"proxy_protocol": True, "trusted_peers": LOCAL}
GET = request("GET", "/api")


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (b"PROXY TCP4 192.0.2.7 192.0.2.1 5000 443\r\n", "192.0.2.7"),
        (block(), "192.0.2.7"),
        (block(SIX, family=0x21), "2001:db8::7"),
        (block(command=0x20), "127.0.0.1"),
        (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
    ],
)
@pytest.mark.parametrize("piecemeal", [False, True])
def test_the_announced_caller_is_the_one_the_platform_is_told(tmp_path, header, told, piecemeal):
    async def play():
        async with staged(tmp_path, changes=ANNOUNCED) as (stage, up):
            caller = await stage.caller(IN)
            if piecemeal:
                for at in range(len(header)):
                    caller.send(header[at : at + 1])
                    await asyncio.sleep(0)
            else:
                caller.send(header)
            caller.send(GET)
            assert (await caller.answer()).status == 200
            assert f"X-Forwarded-For: {told}\r\n" in up.heads[0].decode()

    run(play())


@pytest.mark.parametrize("sent", [GET, b"PROXY TCP4 rubbish\r\n" + GET, block(bytes(11)) + GET,
                                  b"PROXY " + b"x" * 200, b"\r\n\r\n"])  # fmt: skip
def test_a_trusted_peer_that_announces_nobody_is_turned_away(tmp_path, sent):
    async def play():
        async with staged(tmp_path, changes=ANNOUNCED) as (stage, up):
            caller = await stage.caller(IN)
            caller.send(sent)
            caller.writer.write_eof()
            assert await caller.ended() == b""
            assert up.heads == []
            assert stage.journal.exchanges == []
            assert stage.hub.counts[TURNED_UNANNOUNCED] == 1

    run(play())


def test_others_come_in_as_they_are_and_cannot_announce(tmp_path):
    async def play():
        changes = ANNOUNCED | {"trusted_peers": (ip_network("10.0.0.0/8"),)}
        async with staged(tmp_path, changes=changes) as (stage, up):
            caller = await stage.caller(IN)
            assert (await caller.get("/api")).status == 200
            assert "X-Forwarded-For: 127.0.0.1\r\n" in up.heads[0].decode()
            liar = await stage.caller(IN)
            liar.send(b"PROXY TCP4 192.0.2.7 192.0.2.1 5000 443\r\n" + GET)
            assert (await liar.answer()).status in (400, 501)
            assert len(up.heads) == 1

    run(play())


async def secure_caller(stage, folder, before: bytes = b""):
    """A caller that speaks TLS, perhaps after a PROXY header."""
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.server.ports[IN])
    writer.write(before)
    await writer.drain()
    context = certificates.client(folder)
    context.set_alpn_protocols(["h2", "http/1.1"])
    await writer.start_tls(context, server_hostname="127.0.0.1")
    assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == "http/1.1"
    return Caller(reader, writer)


@pytest.mark.parametrize("announced", [False, True])
def test_a_listener_speaks_tls_and_says_so(tmp_path, announced):
    certificates.make(tmp_path)
    files = {"inbound_tls_cert": tmp_path / "good.pem", "inbound_tls_key": tmp_path / "good.key"}

    async def play():
        changes = files | (ANNOUNCED if announced else {})
        async with staged(tmp_path, changes=changes) as (stage, up):
            caller = await secure_caller(stage, tmp_path, block() if announced else b"")
            assert (await caller.get("/api")).status == 200
            head = up.heads[0].decode()
            assert "X-Forwarded-Proto: https\r\n" in head
            assert f"X-Forwarded-For: {'192.0.2.7' if announced else '127.0.0.1'}\r\n" in head
            assert ";proto=https" in head
            await caller.close()
            outbound = await stage.caller()  # has no certificate: plain
            outbound.send((block() if announced else b"") + request("GET", "/globex/x"))
            assert (await outbound.answer()).status == 200

    run(play())


def test_a_certificate_that_cannot_be_used_is_one_line(tmp_path):
    certificates.make(tmp_path)
    certificates.make(tmp_path, "other")
    good = listener_tls(IN, tmp_path / "good.pem", tmp_path / "good.key")
    assert good is not None
    assert good.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert listener_tls(IN, None, None) is None
    for certificate, key in (
        (tmp_path / "none.pem", None),
        (tmp_path / "good.pem", None),
        (tmp_path / "good.pem", tmp_path / "other.key"),
        (None, tmp_path / "good.key"),
    ):
        with pytest.raises(MidspanError, match="MIDSPAN_INBOUND_TLS_CERT") as refused:
            listener_tls(IN, certificate, key)
        assert "\n" not in str(refused.value)
