"""The small deciders: routes, context, egress, timeouts, pool, errors."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.domain.egress import denial
from app.domain.outcome import judge
from app.domain.route import Limits, Route, RouteTable, Timeouts
from app.domain.words import Direction, Kind, Outcome
from collectors.proxy import errors
from collectors.proxy.admission import admit, body_refusal
from collectors.proxy.context import read_trace
from collectors.proxy.errors import ERRORS, markdown
from collectors.proxy.head import parse_request_head
from collectors.proxy.pool import IDLE_NS, PER_ORIGIN, Pool
from collectors.proxy.routes import Allowance, Origin, Router
from collectors.proxy.supervisor import restart_delay_s
from collectors.proxy.timeouts import TUNNEL_IDLE_NS, Progress, Stage, look_again_ns, overdue
from collectors.proxy.verdicts import Refusal
from tests.collectors.proxy.kit import TOKEN, TOKEN_SHA256

ROUTER = Router(
    RouteTable(
        7,
        "Acme",
        "https://platform.example:8443/api/",
        (
            Route("globex", "g", "https://api.globex.example", "https://hooks.example/a?k=1"),
            Route("based", "g", "http://10.0.0.1:81/v2/", None, (TOKEN_SHA256.upper(),), True),
            Route("six", "g", "http://[::1]:8080", "http://h.example"),
        ),
    )
)

OUTBOUND = {
    "/globex/v1/x": ("https", "api.globex.example", 443, b"api.globex.example", b"/v1/x", "/v1/x"),
    "/globex/v1/x?a=1&b": (
        "https", "api.globex.example", 443, b"api.globex.example", b"/v1/x?a=1&b", "/v1/x",
    ),
    "/globex": ("https", "api.globex.example", 443, b"api.globex.example", b"/", "/"),
    "/globex?a": ("https", "api.globex.example", 443, b"api.globex.example", b"/?a", "/"),
    "/globex/": ("https", "api.globex.example", 443, b"api.globex.example", b"/", "/"),
    "/based/x": ("http", "10.0.0.1", 81, b"10.0.0.1:81", b"/v2/x", "/x"),
    "/based": ("http", "10.0.0.1", 81, b"10.0.0.1:81", b"/v2/", "/"),
    "/based//x": ("http", "10.0.0.1", 81, b"10.0.0.1:81", b"/v2//x", "//x"),
    "/six/%2F": ("http", "::1", 8080, b"[::1]:8080", b"/%2F", "/%2F"),
}  # fmt: skip


@pytest.mark.parametrize("target", OUTBOUND)
def test_where_an_outbound_request_goes(target):
    scheme, host, port, authority, wanted, path = OUTBOUND[target]
    raw, _, query = target.encode().partition(b"?")
    found, routed = ROUTER.outbound("GET", raw, query)
    assert (routed.endpoint.origin.tls, routed.endpoint.origin[1:3]) == (
        scheme == "https", (host, port),
    )  # fmt: skip
    assert (routed.endpoint.authority, routed.target, found.path) == (authority, wanted, path)
    assert found.kind == Kind.REQUEST


REFUSALS = {
    ("GET", "/nobody/x"): ("unattributed", "no_such_integration"),
    ("GET", "/"): ("unattributed", "no_such_integration"),
    ("GET", "/GLOBEX/x"): ("unattributed", "no_such_integration"),
    ("GET", "/globex/-/x"): ("globex", "no_such_path"),
    ("POST", "/globex/-/webhooks/"): ("globex", "no_such_path"),
    ("GET", "/globex/-/webhooks/a"): ("globex", "method_not_allowed"),
    ("POST", "/based/-/webhooks/a"): ("based", "no_url_configured"),
    ("GET", "/globex//evil.example"): ("globex", "bad_target"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_why_an_outbound_request_goes_nowhere(case):
    method, path = case
    found, refused = ROUTER.outbound(method, path.encode(), b"")
    assert isinstance(refused, Refusal)
    assert (found.party.integration, refused.code) == REFUSALS[case]


def test_a_webhook_keeps_its_urls_query_and_names_its_topic():
    found, routed = ROUTER.outbound("POST", b"/globex/-/webhooks/issue%2Ecreated", b"z=2")
    assert routed.target == b"/a?k=1&z=2"
    assert (found.kind, found.topic) == (Kind.WEBHOOK, "issue.created")
    assert ROUTER.outbound("POST", b"/six/-/webhooks/t", b"")[1].target == b"/"


def test_inbound_goes_to_the_platform_whoever_asks():
    found, routed = ROUTER.inbound([b"wrong", TOKEN], b"/x", b"q")
    assert (found.party.integration, routed.target) == ("based", b"/api/x?q")
    assert routed.endpoint.origin == Origin(True, "platform.example", 8443, True)
    assert ROUTER.inbound([], b"/x", b"")[0].party.integration == "unattributed"
    empty = Router(RouteTable(1, "Acme", None, ()))
    assert empty.inbound([], b"/x", b"")[1].code == "no_url_configured"


PARENTS = {
    b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01": True,
    b"01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more": True,
    b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more": False,
    b"ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01": False,
    b"00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01": False,
    b"00-00000000000000000000000000000000-b7ad6b7169203331-01": False,
    b"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01": False,
    b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331": False,
    b"": False,
    b"x": False,
}


@pytest.mark.parametrize("parent", PARENTS)
def test_only_a_valid_trace_is_passed_on(parent):
    raw = b"GET / HTTP/1.1\r\nHost: a\r\ntraceparent: " + parent + b"\r\ntracestate: s\r\n\r\n"
    trace = read_trace(parse_request_head(raw), bytes(range(16)).hex())
    assert (parent in trace.lines and b"tracestate" in trace.lines) == PARENTS[parent] or not parent
    assert trace.trace_id == ("0af7651916cd43dd8448eb211c80319c" if PARENTS[parent] else
                              bytes(range(16)).hex())  # fmt: skip


def test_two_traces_are_none():
    one = b"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"
    raw = b"GET / HTTP/1.1\r\nHost: a\r\n" + one + one + b"\r\n"
    assert read_trace(parse_request_head(raw), "01" * 16).trace_id == "01" * 16


PUBLIC = [
    "8.8.8.8", "1.1.1.1", "100.63.255.254", "100.128.0.1", "172.15.255.255", "172.32.0.1",
    "2606:4700::1111", "64:ff9c::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1",
]  # fmt: skip
PRIVATE = [
    "127.0.0.1", "127.255.255.255", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "100.64.0.1", "100.127.255.255", "::1", "fc00::1", "fd12::1", "fec0::1", "::ffff:127.0.0.1",
    "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::1", "::127.0.0.1", "198.18.0.1", "192.0.2.1",
    "198.51.100.1", "203.0.113.1", "192.88.99.1", "3fff::1", "2001:db8::1", "64:ff9b:1::1",
    "192.0.0.1", "::ffff:0:127.0.0.1",
]  # fmt: skip
NEVER = [
    "169.254.169.254", "169.254.0.1", "168.63.129.16", "100.100.100.200", "192.0.0.192",
    "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "0.0.0.0", "0.1.2.3", "::", "224.0.0.1",
    "239.255.255.255", "ff02::2", "240.0.0.1", "255.255.255.255", "100::1", "2001::1", "5f00::1",
    "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "rubbish", "", "1.2.3",
]  # fmt: skip


@pytest.mark.parametrize(
    ("address", "public", "permitted"),
    [(a, True, True) for a in PUBLIC]
    + [(a, False, True) for a in PRIVATE]
    + [(a, False, False) for a in NEVER],
)
def test_which_addresses_may_be_dialled(address, public, permitted):
    assert (denial(address, private=False) is None) == public
    assert (denial(address, private=True) is None) == permitted


ALLOWED = Allowance(100, 200, 300, 1000, 400)
WAITS = {
    (Stage.LOOKING_UP, 100, 100, False, False): None,
    (Stage.LOOKING_UP, 101, 101, False, False): "dns_timeout",
    (Stage.CONNECTING, 100, 100, False, False): None,
    (Stage.CONNECTING, 101, 101, False, False): "connect_timeout",
    (Stage.WAITING, 200, 200, False, False): None,
    (Stage.WAITING, 201, 201, False, False): "first_byte_timeout",
    (Stage.ANSWERING, 900, 300, False, False): None,
    (Stage.ANSWERING, 900, 301, False, False): "idle_timeout",
    (Stage.ANSWERING, 900, 301, True, False): "caller_stalled",
    (Stage.ANSWERING, 1001, 0, False, False): "total_timeout",
    (Stage.ANSWERING, 1001, 0, True, False): "caller_stalled",
    (Stage.SENDING, 900, 301, False, False): "request_timeout",
    (Stage.SENDING, 900, 301, False, True): "idle_timeout",
    (Stage.SENDING, 1001, 0, False, False): "request_timeout",
    (Stage.SENDING, 1001, 0, False, True): "total_timeout",
    (Stage.QUEUED, 400, 400, False, False): None,
    (Stage.QUEUED, 401, 401, False, False): "concurrency_full",
}


@pytest.mark.parametrize("case", WAITS)
def test_whose_wait_was_too_long(case):
    stage, in_stage, still, caller_blocks, upstream_blocks = case
    now = 10_000
    progress = Progress(
        stage, now - in_stage, now - in_stage, now - still, caller_blocks, upstream_blocks
    )
    assert overdue(progress, ALLOWED, now) == WAITS[case]


@pytest.mark.parametrize(
    ("idle_ns", "still", "code"),
    [
        (300, TUNNEL_IDLE_NS, None),
        (300, TUNNEL_IDLE_NS + 1, "tunnel_idle"),
        (2 * TUNNEL_IDLE_NS, 2 * TUNNEL_IDLE_NS, None),
        (2 * TUNNEL_IDLE_NS, 2 * TUNNEL_IDLE_NS + 1, "tunnel_idle"),
    ],
)
def test_a_tunnel_may_last_but_not_be_silent_for_ever(idle_ns, still, code):
    now = 100 * TUNNEL_IDLE_NS
    progress = Progress(Stage.TUNNELLING, 0, 0, now - still)
    assert overdue(progress, ALLOWED._replace(idle_ns=idle_ns), now) == code


@given(
    st.sampled_from(Stage), st.integers(0, 900), st.integers(0, 300), st.sampled_from(Stage),
    st.integers(0, 1200),
)  # fmt: skip
def test_an_exchange_is_looked_at_again_before_any_timeout_can_strike(
    stage, in_stage, still, later_stage, wait
):
    assume(stage != Stage.TUNNELLING or later_stage == Stage.TUNNELLING)  # there is no way back
    now = 10_000
    progress = Progress(stage, now - in_stage, now - in_stage, now - min(still, in_stage))
    assume(overdue(progress, ALLOWED, now) is None)
    look = look_again_ns(progress, ALLOWED, now)
    assert look >= now
    assert overdue(progress, ALLOWED, look) is None
    moved_on = Progress(later_stage, progress.started_ns, now, now)
    if overdue(moved_on, ALLOWED, now + wait) is not None:
        assert look < now + wait


class Connection:
    def __init__(self, origin):
        self.origin = origin
        self.idle_since_ns = 0


def test_the_pool_lends_the_newest_and_keeps_permissions_apart():
    pool = Pool()
    here, other = Origin(False, "a", 80, False), Origin(False, "a", 80, True)
    first, second = Connection(here), Connection(here)
    assert pool.give(first, 1)
    assert pool.give(second, 2)
    assert pool.take(other) is None
    assert pool.take(here) is second
    pool.remove(first)
    assert pool.take(here) is None
    assert pool.size == 0


def test_the_pool_is_bounded_and_lets_the_old_go():
    pool = Pool()
    here = Origin(False, "a", 80, False)
    assert all(pool.give(Connection(here), i) for i in range(PER_ORIGIN))
    assert not pool.give(Connection(here), 0)
    assert len(pool.expire(IDLE_NS + 9)) == 10
    assert pool.size == len(list(pool)) == PER_ORIGIN - 10
    assert len(pool.expire(IDLE_NS * 9)) == PER_ORIGIN - 10
    assert pool.size == 0


def test_admission_looks_at_the_declared_length():
    head = parse_request_head(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n")
    assert admit(head, Limits(body_bytes=11)) is None
    assert admit(head, Limits(body_bytes=10)).code == "body_too_large"
    assert body_refusal(11, Limits(body_bytes=10)) is not None


def test_every_code_is_in_the_table_and_has_somebody_to_act():
    codes = {
        value
        for name, value in vars(errors).items()
        if name.isupper() and not name.startswith("_") and isinstance(value, str)
    }
    assert codes <= set(ERRORS)
    for code, entry in ERRORS.items():
        assert entry.meaning.endswith(".")
        assert entry.remedy.endswith(".")
        assert entry.outcome != Outcome.OK
        assert f"`{code}`" in markdown()
        for direction in Direction:
            judge(direction, entry.outcome, 0, code)


def test_the_status_of_an_own_answer_follows_from_its_outcome():
    by_outcome = {
        Outcome.TIMEOUT: {408, 504},
        Outcome.CONNECT_ERROR: {502},
        Outcome.DNS_ERROR: {502},
        Outcome.TLS_ERROR: {502},
        Outcome.PROTOCOL_ERROR: {0, 502},
        Outcome.CLIENT_ERROR: {0},
        Outcome.ABORTED: {0, 503},
        Outcome.REJECTED: {200, 400, 404, 405, 413, 417, 421, 429, 431, 501, 503, 505, 508},
    }
    assert [code for code, entry in ERRORS.items() if entry.status == 200] == ["max_forwards"]
    for entry in ERRORS.values():
        assert entry.status in by_outcome[entry.outcome]


def test_a_dying_worker_is_started_less_and_less_often():
    assert [restart_delay_s(n) for n in range(8)] == [0, 0.25, 0.5, 1, 2, 4, 8, 10]


def test_timeouts_are_compiled_to_nanoseconds():
    router = Router(RouteTable(1, "A", None, (Route("g", "g", timeouts=Timeouts(1, 2, 3, 4)),)))
    found, _ = router.outbound("GET", b"/g/x", b"")
    assert found.party.allowance == Allowance(
        1_000_000, 2_000_000, 3_000_000, 4_000_000, 1_000_000_000
    )
