"""Failures, told apart: no connection, no answer in time, no trust, no permission."""

import asyncio
import dataclasses
import socket

import pytest

from app.domain.route import Limits, Timeouts
from app.domain.words import Direction, Outcome
from app.settings import Bind
from collectors.proxy import hub as hub_module
from collectors.proxy.upstream import UpstreamProtocol
from tests.collectors.proxy import certificates
from tests.collectors.proxy.kit import (
    OK,
    answering,
    parse_fields,
    request,
    route_to,
    run,
    staged,
    table_of,
    until,
)


async def silent(up, reader, writer):
    await reader.read()


async def failure(stage, path="/globex/x"):
    caller = await stage.caller()
    answer = await caller.get(path)
    record = (await stage.journal.record()) if stage.journal.exchanges else None
    return answer, record


def use(stage, route):
    stage.hub.router = type(stage.hub.router)(table_of(route))


def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_refused_connection(tmp_path):
    async def play():
        async with staged(tmp_path) as (stage, _):
            use(stage, route_to(closed_port()))
            answer, record = await failure(stage)
            assert (answer.status, answer.fields["midspan-outcome"]) == (502, "connect_error")
            assert answer.fields["content-type"] == "application/problem+json"
            assert (record.outcome, record.error) == (Outcome.CONNECT_ERROR, "connect_refused")
            assert record.status == 0
            assert record.connect_us == -1
            assert "127.0.0.1" in record.error_detail

    run(play())


def test_a_name_that_does_not_exist(tmp_path, monkeypatch):
    async def not_found(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr("collectors.proxy.resolve.Machine.ask", not_found)

    async def play():
        async with staged(tmp_path) as (stage, _):
            use(stage, route_to(80, host="no-such-host.invalid"))
            answer, record = await failure(stage)
            assert (answer.status, answer.fields["midspan-outcome"]) == (502, "dns_error")
            assert (record.outcome, record.error) == (Outcome.DNS_ERROR, "dns_not_found")

    run(play())


def test_a_resolver_that_fails(tmp_path, monkeypatch):
    async def failing(*_, **__):
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr("collectors.proxy.resolve.Machine.ask", failing)

    async def play():
        async with staged(tmp_path) as (stage, _):
            use(stage, route_to(80, host="some-host.invalid"))
            _, record = await failure(stage)
            assert record.error == "dns_failed"

    run(play())


def test_a_resolver_that_does_not_answer_in_time(tmp_path, monkeypatch):
    async def silent(*_, **__):
        await asyncio.Event().wait()

    monkeypatch.setattr("collectors.proxy.resolve.Machine.ask", silent)

    async def play():
        async with staged(tmp_path) as (stage, _):
            use(stage, route_to(80, host="slow.invalid", timeouts=Timeouts(connect_ms=100)))
            answer, record = await failure(stage)
            assert (answer.status, answer.fields["midspan-outcome"]) == (502, "dns_error")
            assert (record.outcome, record.error) == (Outcome.DNS_ERROR, "dns_timeout")
            assert record.connect_us == -1

    run(play())


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:7f00:1]"]
)
def test_a_private_address_is_denied_however_it_is_spelt(tmp_path, host):
    async def play():
        async with staged(tmp_path) as (stage, up):
            use(stage, route_to(up.port, host=host, allow_private_addresses=False))
            answer, record = await failure(stage)
            assert answer.status == 502
            assert (record.outcome, record.error) == (Outcome.CONNECT_ERROR, "address_denied")
            assert up.connections == 0

    run(play())


@pytest.mark.parametrize("host", ["169.254.169.254", "0.0.0.0", "224.0.0.1", "[fd00:ec2::254]"])
def test_some_addresses_are_denied_whatever_the_permission(tmp_path, host):
    async def play():
        async with staged(tmp_path) as (stage, _):
            use(stage, route_to(80, host=host, allow_private_addresses=True))
            _, record = await failure(stage)
            assert record.error == "address_denied"

    run(play())


def test_a_connection_made_with_permission_is_not_lent_to_one_without(tmp_path):
    async def play():
        async with staged(tmp_path) as (stage, up):
            allowed = route_to(up.port)
            denied = dataclasses.replace(
                allowed, integration="umbrella", allow_private_addresses=False
            )
            stage.hub.router = type(stage.hub.router)(table_of(allowed, denied))
            caller = await stage.caller()
            assert (await caller.get("/globex/x")).status == 200
            assert (await caller.get("/umbrella/x")).status == 502
            assert stage.journal.exchanges[1].error == "address_denied"

    run(play())


TLS = {
    "good": ("127.0.0.1", {}, True, ""),
    "expired": ("127.0.0.1", {"valid": certificates.PAST}, True, "tls_expired"),
    "not yet valid": ("127.0.0.1", {"valid": certificates.FUTURE}, True, "tls_not_yet_valid"),
    "wrong host": ("127.0.0.1", {"host": "other.example"}, True, "tls_hostname"),
    "wrong address": ("127.0.0.1", {"host": "127.0.0.2"}, True, "tls_hostname"),
    "untrusted": ("127.0.0.1", {}, False, "tls_untrusted"),
}


@pytest.mark.parametrize("case", TLS)
def test_tls_to_the_upstream_is_verified(tmp_path, case):
    host, made, trusted, code = TLS[case]
    certificates.make(tmp_path, "it", **made)

    async def play():
        async with staged(
            tmp_path,
            tls_server=certificates.server(tmp_path, "it"),
            tls_client=certificates.client(tmp_path if trusted else None),
            route={"scheme": "https", "host": host},
        ) as (stage, up):
            answer, record = await failure(stage)
            assert record.error == code
            if code:
                assert (answer.status, record.outcome) == (502, Outcome.TLS_ERROR)
                assert up.heads == []
            else:
                assert answer.status == 200
                assert record.tls_us > 0
                await (await stage.caller()).get("/globex/x")
                assert stage.journal.exchanges[1].tls_us == 0

    async def quiet():
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        await play()

    run(quiet())


def test_a_port_that_does_not_speak_tls(tmp_path):
    async def speaks_first(up, reader, writer):
        writer.write(b"220 mail.example ESMTP\r\n")
        await reader.read()

    async def play():
        async with staged(tmp_path, speaks_first, route={"scheme": "https"}) as (stage, _):
            answer, record = await failure(stage)
            assert answer.status == 502
            assert (record.outcome, record.error) == (Outcome.TLS_ERROR, "tls_not_spoken")

    run(play())


SHORT = {"connect_ms": 150, "first_byte_ms": 150, "idle_ms": 150, "total_ms": 5000}


def test_no_connection_in_time(tmp_path):
    """A listener whose queue is full takes no further connection and refuses none."""

    async def play():
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(0)
            address = listener.getsockname()
            fillers = [socket.socket() for _ in range(8)]
            for filler in fillers:
                filler.setblocking(False)
                filler.connect_ex(address)
            async with staged(tmp_path) as (stage, _):
                use(stage, route_to(address[1], timeouts=Timeouts(**SHORT)))
                answer, record = await failure(stage)
                assert (answer.status, answer.fields["midspan-outcome"]) == (504, "timeout")
                assert (record.outcome, record.error) == (Outcome.TIMEOUT, "connect_timeout")
                assert record.total_us >= 150_000
            for filler in fillers:
                filler.close()

    run(play())


def test_a_tls_handshake_counts_as_connecting(tmp_path):
    async def play():
        async with staged(
            tmp_path, silent, route={"scheme": "https"}, timeouts=Timeouts(**SHORT)
        ) as (stage, _):
            _, record = await failure(stage)
            assert record.error == "connect_timeout"

    run(play())


def test_no_first_byte_in_time(tmp_path):
    async def play():
        async with staged(tmp_path, silent, timeouts=Timeouts(**SHORT)) as (stage, up):
            answer, record = await failure(stage)
            assert answer.status == 504
            assert (record.outcome, record.error) == (Outcome.TIMEOUT, "first_byte_timeout")
            assert record.connect_us > 0
            await until(lambda: up.closed == 1)

    run(play())


def test_an_answer_that_stops_in_the_middle(tmp_path):
    async def handler(up, reader, writer):
        await up.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
        await reader.read()

    async def play():
        async with staged(tmp_path, handler, timeouts=Timeouts(**SHORT)) as (stage, _):
            caller = await stage.caller()
            caller.send(request("GET", "/globex/x"))
            assert (await caller.ended()).endswith(b"abc")
            record = await stage.journal.record()
            assert (record.outcome, record.error, record.status) == (
                Outcome.TIMEOUT, "idle_timeout", 200,
            )  # fmt: skip

    run(play())


def test_an_answer_that_drips_ends_at_the_total(tmp_path):
    async def handler(up, reader, writer):
        await up.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.03)

    async def play():
        allowed = Timeouts(**{**SHORT, "idle_ms": 5_000, "total_ms": 400})
        async with staged(tmp_path, handler, timeouts=allowed) as (stage, _):
            caller = await stage.caller()
            caller.send(request("GET", "/globex/x"))
            await caller.ended()
            assert (await stage.journal.record()).error == "total_timeout"

    run(play())


def test_a_caller_that_stops_sending_its_body(tmp_path):
    async def play():
        async with staged(tmp_path, silent, timeouts=Timeouts(**SHORT)) as (stage, up):
            caller = await stage.caller()
            caller.send(b"POST /globex/x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
            answer = await caller.answer()
            assert answer.status == 408
            record = await stage.journal.record()
            assert (record.outcome, record.error) == (Outcome.TIMEOUT, "request_timeout")
            await until(lambda: up.closed == 1)

    run(play())


def test_an_upstream_that_stops_reading_is_not_the_callers_fault(tmp_path):
    async def handler(up, reader, writer):
        writer.transport.pause_reading()
        await asyncio.sleep(30)

    async def play():
        async with staged(
            tmp_path, handler, timeouts=Timeouts(**SHORT), limits=Limits(body_bytes=10**9)
        ) as (stage, _):
            caller = await stage.caller()
            caller.send(b"POST /globex/x HTTP/1.1\r\nHost: a\r\nContent-Length: 90000000\r\n\r\n")
            caller.send(b"z" * 90_000_000)
            answer = await caller.answer()
            assert answer.status == 504
            assert (await stage.journal.record()).error == "idle_timeout"

    run(play())


def test_a_caller_that_stops_reading_is_cut_off(tmp_path):
    async def handler(up, reader, writer):
        await up.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 90000000\r\n\r\n")
        for _ in range(900):
            writer.write(b"z" * 100_000)
            await writer.drain()

    async def play():
        async with staged(tmp_path, handler, timeouts=Timeouts(**SHORT)) as (stage, _):
            caller = await stage.caller()
            caller.writer.transport.pause_reading()
            caller.send(request("GET", "/globex/x"))
            record = await stage.journal.record()
            assert (record.outcome, record.error) == (Outcome.ABORTED, "caller_stalled")

    run(play())


def test_a_head_that_never_ends(tmp_path):
    async def play():
        async with staged(tmp_path, changes={"head_timeout_us": 100_000}) as (stage, _):
            caller = await stage.caller()
            caller.send(b"GET /globex/x HTTP/1.1\r\nHost:")
            answer = await caller.answer()
            assert answer.status == 408
            record = await stage.journal.record()
            assert (record.integration, record.error) == ("unattributed", "request_timeout")
            assert await caller.ended() == b""

    run(play())


def test_an_idle_connection_is_closed_without_a_record(tmp_path):
    async def play():
        async with staged(tmp_path, changes={"idle_timeout_us": 100_000}) as (stage, _):
            caller = await stage.caller()
            await caller.get("/globex/x")
            assert await caller.ended() == b""
            assert len(stage.journal.exchanges) == 1

    run(play())


def test_idle_upstream_connections_are_closed(tmp_path, monkeypatch):
    monkeypatch.setattr("collectors.proxy.pool.IDLE_NS", 100_000_000)
    assert hub_module.TICK_S < 1

    async def play():
        async with staged(tmp_path) as (stage, up):
            await (await stage.caller()).get("/globex/x")
            await until(lambda: up.closed == 1)
            assert stage.hub.pool.size == 0

    run(play())


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_body_over_the_limit_is_refused(tmp_path, framing):
    async def play():
        async with staged(tmp_path, limits=Limits(body_bytes=1000)) as (stage, _):
            caller = await stage.caller()
            if framing == "length":
                caller.send(request("POST", "/globex/x", body=b"z" * 1001))
            else:
                caller.send(
                    b"POST /globex/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                )
                for _ in range(3):
                    caller.send(b"%x\r\n%b\r\n" % (400, b"z" * 400))
            answer = await caller.answer()
            assert (answer.status, answer.fields["midspan-outcome"]) == (413, "rejected")
            assert answer.fields["connection"] == "close"
            record = await stage.journal.record()
            assert (record.outcome, record.error) == (Outcome.REJECTED, "body_too_large")
            assert record.integration == "globex"

    run(play())


def test_a_body_at_the_limit_passes(tmp_path):
    async def play():
        async with staged(tmp_path, limits=Limits(body_bytes=1000)) as (stage, up):
            caller = await stage.caller()
            caller.send(request("POST", "/globex/x", body=b"z" * 1000))
            assert (await caller.answer()).status == 200
            assert up.bodies == [b"z" * 1000]

    run(play())


def test_a_refused_body_is_read_away_so_that_the_answer_arrives(tmp_path):
    async def play():
        async with staged(tmp_path, limits=Limits(body_bytes=10)) as (stage, _):
            caller = await stage.caller()
            caller.send(request("POST", "/globex/x", body=b"z" * 200_000))
            assert (await caller.answer()).status == 413
            assert await caller.ended() == b""

    run(play())


MALFORMED = {
    b"GET /globex/x HTTP/1.1\r\n\r\n": (400, "bad_host"),
    b"GET /globex/x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n": (400, "bad_host"),
    b"GET /globex/x HTTP/1.1\r\nHost: a, b\r\n\r\n": (400, "bad_host"),
    b"GET http://evil.example/x HTTP/1.1\r\nHost: a\r\n\r\n": (400, "bad_target"),
    b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n": (400, "bad_target"),
    b"CONNECT evil.example:443 HTTP/1.1\r\nHost: a\r\n\r\n": (405, "method_not_allowed"),
    b"TRACE /globex/x HTTP/1.1\r\nHost: a\r\n\r\n": (405, "method_not_allowed"),
    b"BREW /globex/x HTTP/1.1\r\nHost: a\r\n\r\n": (501, "method_unknown"),
    b"GET /globex/x HTTP/2.0\r\nHost: a\r\n\r\n": (505, "bad_version"),
    b"GET /globex/x\r\n\r\n": (505, "bad_version"),
    b"GET /globex/x HTTP/1.1\nHost: a\n\n": (400, "bad_request"),
    b"\x16\x03\x01\x02\x00\x01\x00": (400, "bad_request"),
    b"POST /globex/x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n": (400, "bad_framing"),
    b"POST /globex/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n": (
        501, "unknown_transfer_coding",
    ),
    b"POST /globex/x HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n": (417, "bad_expectation"),
    b"POST /globex/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n": (
        400, "bad_framing",
    ),
    b"GET /globex/x HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 70_000: (431, "head_too_large"),
    b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n": (431, "head_too_large"),
    b"GET /globex/x HTTP/1.1\r\nHost: a\r\n" + b"A: b\r\n" * 101 + b"\r\n": (
        431, "head_too_large",
    ),
}  # fmt: skip


@pytest.mark.parametrize("raw", MALFORMED, ids=range(len(MALFORMED)))
def test_a_bad_request_is_answered_recorded_and_goes_nowhere(tmp_path, raw):
    status, code = MALFORMED[raw]

    async def play():
        async with staged(tmp_path, answering(OK)) as (stage, up):
            caller = await stage.caller()
            caller.send(raw)
            answer = await caller.answer()
            assert answer.status == status
            assert answer.fields["midspan-outcome"] == "rejected"
            record = await stage.journal.record()
            assert (record.outcome, record.error) == (Outcome.REJECTED, code)
            assert up.heads == [] or code == "bad_framing"
            assert stage.totals == (1, 1, 0)

    run(play())


def test_a_request_that_comes_round_again_is_a_loop(tmp_path):
    async def sends_back(up, reader, writer):
        head, _ = await up.request(reader)
        back = await up.stage.caller()
        answer = await back.get("/globex/x", f"Via: {parse_fields(head)['via']}")
        writer.write(answer.head + answer.body)

    async def play():
        async with staged(tmp_path, sends_back) as (stage, up):
            up.stage = stage
            caller = await stage.caller()
            assert (await caller.get("/globex/x")).status == 508
            assert [r.error for r in stage.journal.exchanges] == ["loop_detected", ""]
            assert stage.journal.exchanges[1].status == 508

    run(play())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
@pytest.mark.parametrize("direction", Direction)
def test_the_proxy_never_dials_itself(tmp_path, host, direction):
    async def play():
        async with staged(tmp_path) as (stage, _):
            use(stage, route_to(stage.server.ports[direction], host=host))
            answer, record = await failure(stage)
            assert (answer.status, record.error) == (502, "address_own")
            assert "this proxy" in record.error_detail
            assert len(stage.journal.exchanges) == 1

    run(play())


def test_the_proxy_that_listens_everywhere_knows_all_its_addresses(tmp_path):
    everywhere = {"outbound_bind": Bind("0.0.0.0", 0)}

    async def play():
        async with staged(tmp_path, changes=everywhere) as (stage, _):
            use(stage, route_to(stage.server.ports[Direction.OUTBOUND], host="127.0.0.5"))
            _, record = await failure(stage)
            assert record.error == "address_own"

    run(play())


def test_a_caller_that_goes_as_its_connection_is_made_leaves_nothing_behind(tmp_path, monkeypatch):
    made = UpstreamProtocol.connection_made

    async def play():
        async with staged(tmp_path) as (stage, up):

            def made_for_nobody(link, transport):
                made(link, transport)
                next(iter(stage.hub.live)).caller_gone()

            monkeypatch.setattr(UpstreamProtocol, "connection_made", made_for_nobody)
            caller = await stage.caller()
            caller.send(request("GET", "/globex/x"))
            assert (await stage.journal.record()).error == "caller_gone"
            await until(lambda: up.connections == up.closed == 1)
            assert (len(stage.hub.links), len(stage.hub.live), stage.hub.pool.size) == (0, 0, 0)
            monkeypatch.undo()
            assert (await (await stage.caller()).get("/globex/x")).status == 200
            assert len(stage.hub.links) == 1

    run(play())
