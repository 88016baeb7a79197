"""Hostile and odd request streams, by named class. The same ones every time.

Each is a whole connection's worth of bytes for the listener that knows the integration `g`;
most carry a second, honest request behind the odd one, which is what a smuggler aims at.
"""

from collections.abc import Iterator
from itertools import product

NEXT = b"GET /g/n HTTP/1.1\r\nHost: a\r\n\r\n"
HELLO = b"5\r\nhello\r\n0\r\n\r\n"

Stream = tuple[str, bytes]


def streams() -> list[Stream]:
    """(class, bytes) of every stream."""
    makers = (
        lengths, codings, both_framings, odd_bytes, versions, methods, targets, hosts,
        chunks, trailers, upgrades, connections, line_ends, expectations, forwards, limits,
        sequences, cut_short, smuggled,
    )  # fmt: skip
    return [(maker.__name__, stream) for maker in makers for stream in maker()]


def message(
    *lines: bytes,
    body: bytes = b"",
    method: bytes = b"POST",
    target: bytes = b"/g/x",
    version: bytes = b"HTTP/1.1",
    host: bytes = b"Host: a",
) -> bytes:
    start = b" ".join((method, target, version))
    return b"\r\n".join((start, *([host] if host else []), *lines)) + b"\r\n\r\n" + body


_LENGTHS = (
    b"5|05|005|0000000000000005|00000000000000000000000000005|+5|-5|0x5|5a|a5|5.0|5,|,5|5,5|5, 5|"
    b"5, 6|5 5|5;|5_0|1_0|''|\"5\"|5\x0b|5\x0c|\xef\xbc\x95|1e1|0|00|4|6|99|18446744073709551615|"
    b"18446744073709551616|18446744073709551621|9223372036854775807|4294967301|4294967296|"
    b"999999999999999999|9999999999999999999|five|true|NaN|\xb2|5\xa0|5\x85|"
)


def lengths() -> Iterator[bytes]:
    """Content-Length, in every spelling."""
    for value, method in product(_LENGTHS.split(b"|"), (b"POST", b"GET", b"DELETE", b"HEAD")):
        for name in (b"Content-Length: ", b"content-length:"):
            yield message(name + value, body=b"hello" + NEXT, method=method)
    for one, two in product((b"0", b"5", b"05", b"", b"x"), repeat=2):
        lines = (b"Content-Length: " + one, b"Content-Length: " + two)
        yield message(*lines, body=b"hello" + NEXT)
        yield message(lines[0], b"X: y", lines[1], body=b"hello" + NEXT)
    for end in (b" ", b"\t", b" \t ", b"\x0b", b"\r", b"\x00"):
        yield message(b"Content-Length: 5" + end, body=b"hello" + NEXT)
        yield message(b"Content-Length:" + end + b"5", body=b"hello" + NEXT)
        yield message(b"Content-Length" + end + b": 5", body=b"hello" + NEXT)


_CODINGS = (
    b"chunked|Chunked|CHUNKED|cHuNkEd|chunked, chunked|chunked,chunked|chunked,|,chunked|"
    b"identity|gzip|gzip, chunked|chunked, gzip|identity, chunked|chunked, identity|cow, chunked|"
    b"xchunked|chunkedx|x chunked|chunked x|\"chunked\"|'chunked'|chunked;q=1|chunked; a=b|chunk|"
    b"chunke|ch\xc3\xbcnked|\xe2\x80\x8bchunked|chunked\x0b|chunked\x0c|\x0bchunked|chunked\xa0|"
    b"\xa0chunked|chunked\x85|c\thunked|trailers|deflate|compress|br|null|0|none|"
)


def codings() -> Iterator[bytes]:
    """Transfer-Encoding, in every spelling, with each way to frame the body."""
    bodies = (HELLO, b"hello", b"0\r\n\r\n")
    for value, body in product(_CODINGS.split(b"|"), bodies):
        for name in (b"Transfer-Encoding: ", b"transfer-encoding:", b"TRANSFER-ENCODING:\t"):
            yield message(name + value, body=body + NEXT)
        yield message(b"Transfer-Encoding: " + value, body=body + NEXT, version=b"HTTP/1.0")
    some = (b"chunked", b"identity", b"gzip", b"", b"CHUNKED")
    for one, two in product(some, repeat=2):
        lines = (b"Transfer-Encoding: " + one, b"Transfer-Encoding: " + two)
        yield message(*lines, body=HELLO + NEXT)
        yield message(lines[0], b"X: y", lines[1], body=HELLO + NEXT)


_TE_LINES = (
    b"Transfer-Encoding: chunked|Transfer-Encoding:chunked|Transfer-Encoding : chunked|"
    b"Transfer-Encoding\t: chunked| Transfer-Encoding: chunked|\tTransfer-Encoding: chunked|"
    b"Transfer-Encoding: xchunked|Transfer-Encoding: identity|Transfer_Encoding: chunked|"
    b"Transfer Encoding: chunked|Transfer-Encoding: chunked\t|Transfer-Encoding:\tchunked|"
    b"Transfer-Encoding:  chunked|X-Transfer-Encoding: chunked|Transfer-EncodingX: chunked|"
    b"TE: chunked|tRANSFER-ENCODING: chunked|Transfer-Encoding: |Transfer-Encoding:|"
    b"Transfer-Encoding|Transfer-Encoding: chunked\r\nTransfer-Encoding: cow|"
    b"Transfer-Encoding: cow\r\nTransfer-Encoding: chunked|Transfer-Encoding:\r\n chunked|"
    b"X: y\r\n Transfer-Encoding: chunked|X: y\nTransfer-Encoding: chunked|"
    b"X: y\rTransfer-Encoding: chunked|Transfer-Encoding: chunked\nX: y|"
    b"Transfer-Encoding: chunked\rX: y|\x00Transfer-Encoding: chunked|"
    b"Content-Encoding: chunked|Content-Length\x00: 5|Connection: Transfer-Encoding|"
)


def both_framings() -> Iterator[bytes]:
    """Both framings, in both orders, whatever the second one looks like."""
    for line in _TE_LINES.split(b"|"):
        for length in (b"0", b"3", b"5", b"6", b"41"):
            counted = b"Content-Length: " + length
            lines = (line, counted) if line else (counted,)
            yield message(*lines, body=HELLO + NEXT)
            yield message(*lines[::-1], body=HELLO + NEXT)
            yield message(*lines, body=HELLO + NEXT, version=b"HTTP/1.0")
            yield message(*lines, body=HELLO + NEXT, method=b"GET")


_ODD_PLACES = (
    b"Transfer-Encoding%: chunked|Transfer-Encoding:%chunked|Transfer-Encoding: chunked%|"
    b"%Transfer-Encoding: chunked|X: y%Transfer-Encoding: chunked|Transfer%Encoding: chunked|"
    b"Content-Length%: 5|Content-Length: 5%|Content-Length: %5|X: a%b|X%: a"
)


def odd_bytes() -> Iterator[bytes]:
    """One odd byte in every place where parsers have differed."""
    odd = [*range(0x21), *b'"(),/:;<=>?@[\\]{}', *range(0x7F, 0x8A), 0xA0, 0xAD, 0xC3, 0xE2, 0xFF]
    for code, place in product(odd, _ODD_PLACES.split(b"|")):
        line = place.replace(b"%", bytes([code]))
        body = HELLO if b"chunked" in place else b"hello"
        yield message(line, body=body + NEXT)


_VERSIONS = (
    b"HTTP/1.1|HTTP/1.0|HTTP/0.9|HTTP/1.2|HTTP/1.9|HTTP/2.0|HTTP/2|HTTP/3.0|HTTP/1|HTTP/1.|HTTP/.1|"
    b"HTTP/1.10|HTTP/01.1|HTTP/1.01|HTTP/11.1|HTTP/1,1|HTTP/ 1.1|HTTP /1.1|HTTP/1 .1|http/1.1|"
    b"Http/1.1|HTP/1.1|HTTPS/1.1|RTSP/1.0|ICE/1.0|SIP/2.0|HTTP/1.1 |HTTP/1.1\t|"
    b"HTTP/1.1x|HTTP/1.1.1|"
    b"HTTP/1.1 HTTP/1.1|HTTP/-1.1|HTTP/+1.1|HTTP/1.\xb2|HTTP\\1.1|"
)


def versions() -> Iterator[bytes]:
    """Versions that are not, and two that are."""
    for version in _VERSIONS.split(b"|"):
        yield message(method=b"GET", version=version) + NEXT
        yield message(b"Content-Length: 5", version=version, body=b"hello" + NEXT)
        yield message(b"Connection: keep-alive", version=version) + NEXT
        yield message(b"Connection: close", version=version) + NEXT
    yield b"GET /g/x\r\n\r\n" + NEXT
    yield b"GET /g/x\r\nHost: a\r\n\r\n" + NEXT
    yield b"GET\r\n\r\n" + NEXT
    yield b"GET /g/xHTTP/1.1\r\nHost: a\r\n\r\n" + NEXT
    yield b"GET /5HTTP/1.1\r\nHost: a\r\n\r\n" + NEXT


_METHODS = (
    b"GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|PROPFIND|QUERY|CONNECT|TRACE|SOURCE|PURGE|M-SEARCH|"
    b"PRI|DESCRIBE|SETUP|FLUSH|NOTIFY|SUBSCRIBE|get|Get|GETX|GE|G|POSTS|BREW|GE\tT|GET\x00|"
    b"\x00GET|G\xcbT|GET:|[GET]|GET/|1GET|PO ST|UNLINK|REPORT|MERGE|GET\x0b|-|*|_|"
)


def methods() -> Iterator[bytes]:
    """Methods, known, foreign and broken, with and without a body."""
    for method in _METHODS.split(b"|"):
        yield message(method=method) + NEXT
        yield message(b"Content-Length: 5", method=method, body=b"hello" + NEXT)
        yield message(b"Transfer-Encoding: chunked", method=method, body=HELLO + NEXT)
        yield message(method=method, target=b"a.example:443") + NEXT
        yield message(b"Content-Length: 0", method=method, version=b"HTTP/1.0") + NEXT


_TARGETS = (
    b"/g|/g/|/g?|/g?a=b|/g/?|/g/x?y?z|/g/x?/../z|/g//x|"
    b"/g/x//y|//g/x|///g/x|//evil.example/x|/g/../x|/g/./x|/g/..|"
    b"/g/.|/g/...|/g/..a|/g/a..|/g/%2e%2e/x|/g/%2E./x|/g/.%2e|"
    b"/g/%2e|/g/%2f|/g/%00|/g/%0d%0a|/g/%|/g/%zz|/g/a%20b|"
    b"/g/x#f|/g/x?#|/g/x\\y|/g\\x|\\globex|/g/x;y=z|/g/~a|/g/a:b|"
    b'/g/@|/g/a@b|/g/x|/g/[x]|/g/{x}|/g/x^y|/g/`|/g/"x"|'
    b"/g/<x>|/g/a b|/g/a\tb|/g/\x00|/g/\x7f|/g/\xc3\xa9|/g/\xff|"
    b"http://a/g/x|http://evil.example/|https://a/g|HTTP://A/|ftp://a/|javascript:alert|"
    b"http://u:p@a/g/x|http:///x|http:/x|a.example:80|a.example|*|/*|globex/x|globex|?x|#|.|..|"
    b"/-/livez/|/nobody/x|/nobody|/|/?|/g/-/webhooks/t|/g/-/webhooks/|/g/-/|/g/-|"
    b"/G/x|/g%2Fx|/%67/x|/g/x HTTP/1.1|/g/x%20HTTP/1.1|/g/?x=%0d%0aX:y|"
)


def targets() -> Iterator[bytes]:
    """Request targets of all four forms, and what lies between them."""
    for target in _TARGETS.split(b"|"):
        yield message(method=b"GET", target=target) + NEXT
        yield message(b"Content-Length: 5", target=target, body=b"hello" + NEXT)
    for method, target in product((b"OPTIONS", b"CONNECT", b"HEAD"), _TARGETS.split(b"|")[::4]):
        yield message(method=method, target=target) + NEXT
    for code in range(256):
        yield message(method=b"GET", target=b"/g/" + bytes([code]) + b"x") + NEXT
    for blanks in (b"  ", b"\t", b" \t", b"\x0b", b"\x0c", b"   "):
        yield b"GET" + blanks + b"/g/x HTTP/1.1\r\nHost: a\r\n\r\n" + NEXT
        yield b"GET /g/x" + blanks + b"HTTP/1.1\r\nHost: a\r\n\r\n" + NEXT


_HOSTS = (
    b"|a|A|a:80|a:|a:0|a:99999|a:123456|a:x|a:-1|a:80:80|a b|a,b|a, b|a/b|u@a|u:p@a|a?b|a#b|a\\b|"
    b"[::1]|[::1]:80|[::1|::1|[::ffff:127.0.0.1]|[x]|[]|127.0.0.1|0x7f.1|2130706433|*|.|..|a.|.a|"
    b"a..b|a_b|a-b|-|~|xn--a|\xc3\xa9|%61|a%00|a\x00|a\tb|http://a|//a|a;b|a'b|a\"b|"
    b"<a>|(a)|a!|a$|a&|"
    b"localhost|evil.example|evil.example:443|169.254.169.254|a\x7f|a |"
)


def hosts() -> Iterator[bytes]:
    """Host, none to two of them, in every spelling."""
    for host in _HOSTS.split(b"|"):
        for name in (b"Host: ", b"host:", b"HOST:\t"):
            yield message(method=b"GET", host=name + host) + NEXT
        yield message(b"Host: " + host, method=b"GET") + NEXT
        yield message(method=b"GET", host=b"Host: " + host, version=b"HTTP/1.0") + NEXT
    for line in (b"", b"Host : a", b" Host: a", b"X-Host: a", b"Host", b"Ho st: a", b"Host:\r\n a"):
        yield message(method=b"GET", host=line) + NEXT
        yield message(b"Content-Length: 5", host=line, body=b"hello" + NEXT)
    yield message(b"X-Forwarded-Host: evil", b"Forwarded: host=evil", method=b"GET") + NEXT


_SIZES = (
    b'5|05|0005|0000000000000005|00000000000000005|5 | 5|5\t|\t5|+5|-5|0x5|5h|5_|0_5|5.|5,|"5"|'
    b'|g|5g|5;|5;a|5;a=b|5;a=|5;=b|5;a="b"|5;a="b|5;a="b;c"|5;a="\\""|5; a|5 ;a|5;a ;b|5;a=b;c|'
    b'5;;a|5;a\x00|5;a\x0b|5;a\xff|5;a="\xff"|5;a\r|5\r|5;\r|5;a=b=c|5;a=b c|5;"a"|4|'
    b"6|FFFFFFFFFFFFFFFF|"
    b"10000000000000005|7fffffffffffffff|8000000000000005|A0|5\x0c|5\xa0|5#|5//|5%|5\x00|fivE|00|"
)


def chunks() -> Iterator[bytes]:
    """Chunked bodies: sizes, extensions, ends."""
    te = b"Transfer-Encoding: chunked"
    for size in _SIZES.split(b"|"):
        yield message(te, body=size + b"\r\nhello\r\n0\r\n\r\n" + NEXT)
        yield message(te, body=b"2\r\nab\r\n" + size + b"\r\nhello\r\n0\r\n\r\n" + NEXT)
        yield message(te, body=b"5\r\nhello\r\n" + size.replace(b"5", b"0") + b"\r\n\r\n" + NEXT)
        yield message(te, body=size + b"\nhello\r\n0\r\n\r\n" + NEXT, method=b"GET")
    ends = (b"", b"\r", b"\n", b"\r\n\r\n", b"\n\r", b"\rX", b"X\n", b"XX", b"\r\r\n", b" \r\n")
    for end in ends:
        yield message(te, body=b"5\r\nhello" + end + b"0\r\n\r\n" + NEXT)
        yield message(te, body=b"5\r\nhello\r\n0" + end + NEXT)
        yield message(te, body=b"5\r\nhello\r\n0\r\n" + end + NEXT)
        yield message(te, body=b"5" + end + b"hello\r\n0\r\n\r\n" + NEXT)
    for count in (1, 3, 40):
        yield message(te, body=b"1\r\nz\r\n" * count + b"0\r\n\r\n" + NEXT)


_TRAILERS = (
    b"X: y|X:|X: y\r\nZ: w|Host: evil|Authorization: Bearer x|Content-Type: x|Connection: close|"
    b"Connection: upgrade|Content-Length: 5|content-length: 0|Transfer-Encoding: chunked|"
    b"TRANSFER-ENCODING: x|X : y| X: y|\tX: y|X|: y|X\x00: y|X: \x00|X: \x7f|X: \xff|"
    b"X: y\r\n folded|"
    b"X: y\n|X: y\r|\nX: y|GET /g/evil HTTP/1.1|Content_Length: 5|Midspan-Operation: x|Upgrade: x|"
)


def trailers() -> Iterator[bytes]:
    """What stands behind the last chunk."""
    te = b"Transfer-Encoding: chunked"
    for lines in _TRAILERS.split(b"|"):
        for start in (b"5\r\nhello\r\n0\r\n", b"0\r\n", b"5\r\nhello\r\n000;a=b\r\n"):
            yield message(te, body=start + lines + b"\r\n\r\n" + NEXT)
            yield message(te, b"Trailer: X", body=start + lines + b"\r\nY: z\r\n\r\n" + NEXT)


_TOKENS = (
    b"websocket|WebSocket|h2c|h2c, websocket|websocket, h2c|websocket/13|HTTP/2.0|TLS/1.0|IRC/6.9|"
    b"x|,|websocket,|\x00|foo bar|",
)[0].split(b"|")


def upgrades() -> Iterator[bytes]:
    """Offers to switch, none of which may open a tunnel or hide a body."""
    connections_ = (b"Connection: Upgrade", b"Connection: keep-alive, upgrade", b"X: y")
    framings = (
        ((), b""),
        ((b"Content-Length: 0",), b""),
        ((b"Content-Length: 5",), b"hello"),
        ((b"Transfer-Encoding: chunked",), HELLO),
    )
    for token, connection, framing in product(_TOKENS, connections_, framings):
        lines, body = framing
        offer = (connection, b"Upgrade: " + token, *lines)
        for method, version in product((b"GET", b"POST"), (b"HTTP/1.1", b"HTTP/1.0")):
            yield message(*offer, method=method, version=version, body=body + NEXT)
    key = (b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", b"Sec-WebSocket-Version: 13")
    offer = (b"Connection: Upgrade", b"Upgrade: websocket")
    for method in (b"GET", b"HEAD", b"OPTIONS", b"PUT"):
        yield message(*offer, *key, method=method, body=NEXT)
        yield message(*offer, *offer, *key, method=method, body=NEXT)
    yield message(*offer, b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA", method=b"GET") + NEXT
    yield message(method=b"CONNECT", target=b"a:1", body=b"\x16\x03\x01")


_LISTED = (
    b"close|Close|CLOSE|keep-alive|close, keep-alive|keep-alive, close|close\t|"
    b"\tclose|close,|,close|"
    b'closed|"close"|X-Hop|x-hop, X-Other|Content-Length|Transfer-Encoding|Host|'
    b"Authorization|Cookie|"
    b"Content-Type|Connection|Via|X-Forwarded-For|Upgrade|TE|X-Api-Key|upgrade, close|;close|"
    b"webhook-signature|Expect|Accept|"
)


def connections() -> Iterator[bytes]:
    """Connection, and what it may not take away."""
    named = (b"X-Hop: 1", b"Authorization: Bearer t", b"Cookie: c=d", b"Accept: */*")
    for listed in _LISTED.split(b"|"):
        line = b"Connection: " + listed
        yield message(line, *named, method=b"GET") + NEXT
        yield message(line, b"Content-Length: 5", *named, body=b"hello" + NEXT)
        yield message(*named, b"Transfer-Encoding: chunked", line, body=HELLO + NEXT)
        yield message(line, method=b"GET", version=b"HTTP/1.0") + NEXT
        yield message(b"Connection: x", line, b"Keep-Alive: timeout=5", method=b"GET") + NEXT
        yield message(b"Proxy-Connection: " + listed, method=b"GET") + NEXT


def line_ends() -> Iterator[bytes]:
    """CR and LF, one without the other, at every end of a line."""
    whole = message(b"Content-Length: 5", b"X: y", body=b"hello" + NEXT)
    chunked = message(b"Transfer-Encoding: chunked", body=HELLO + NEXT)
    for base in (whole, chunked):
        for at in range(len(base) - len(NEXT)):
            if base[at : at + 2] == b"\r\n":
                for end in (b"\n", b"\r", b"\r\r\n", b"\n\r", b"\r\n ", b" \r\n", b"\x00\r\n", b""):
                    yield base[:at] + end + base[at + 2 :]
    for lead in (
        b"\r\n", b"\r\n\r\n", b"\r\n\r\n\r\n", b"\n", b"\r", b"\n\n", b"\r\r", b"\n\r", b" ", b"\t",
        b" \r\n", b"\x00", b"\x0b", b"\xef\xbb\xbf", b"\xff", b"0\r\n\r\n", b"\r\n ", b"X: y\r\n",
        b"\x16\x03\x01\x00\x05", b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n", b"{}", b"SSH-2.0-x\r\n",
    ):  # fmt: skip
        yield lead + NEXT
        yield NEXT + lead + NEXT
        yield message(b"Content-Length: 5", body=b"hello" + lead + NEXT)
        yield message(b"Transfer-Encoding: chunked", body=HELLO + lead + NEXT)


_EXPECT = (
    b"100-continue|100-Continue|100-CONTINUE|100-continue,|100-continue, x|x 100-continue|"
    b'100-continue;q=1|200-ok|100|continue|\t100-continue|100-continue\x0b|"100-continue"|'
)


def expectations() -> Iterator[bytes]:
    """Expect, from senders who do not wait for what they expect."""
    for value, version in product(_EXPECT.split(b"|"), (b"HTTP/1.1", b"HTTP/1.0")):
        line = b"Expect: " + value
        yield message(line, b"Content-Length: 5", body=b"hello" + NEXT, version=version)
        yield message(line, b"Transfer-Encoding: chunked", body=HELLO + NEXT, version=version)
        yield message(line, method=b"GET", version=version) + NEXT
    twice = b"Expect: 100-continue"
    yield message(twice, twice, b"Content-Length: 5", body=b"hello" + NEXT)


def forwards() -> Iterator[bytes]:
    """Max-Forwards, which only OPTIONS heeds."""
    for method, value in product((b"OPTIONS", b"GET", b"POST"), _FORWARDS.split(b"|")):
        line = b"Max-Forwards: " + value
        yield message(line, method=method) + NEXT
        yield message(line, b"Content-Length: 5", method=method, body=b"hello" + NEXT)
        yield message(line, line, method=method) + NEXT
        yield message(line, b"Connection: max-forwards", method=method) + NEXT


_FORWARDS = b"0|1|2|10|00|01|-1|1.0|one||0, 0|999999999999999999|1000000000000000000"


def limits() -> Iterator[bytes]:
    """Just within each limit, and just over it."""
    for size in (8192, 8193):
        rest = size - len(b"GET /g/ HTTP/1.1")
        yield message(method=b"GET", target=b"/g/" + b"a" * rest) + NEXT
        yield b"GET /g/" + b"a" * (size - len(b"GET /g/"))
    for count in (98, 99, 100, 101):
        yield message(*[b"A: b"] * count, method=b"GET") + NEXT
    one = len(message(b"X: ", method=b"GET")) - 4
    for size in (65536, 65537):
        yield message(b"X: " + b"a" * (size - one), method=b"GET") + NEXT
    te = b"Transfer-Encoding: chunked"
    for size in (1022, 1023, 1024, 1025):
        yield message(te, body=b"5;" + b"e" * (size - 2) + b"\r\nhello\r\n0\r\n\r\n" + NEXT)
    for count in (32, 33):
        one_chunk = b"1;" + b"e" * 511 + b"\r\nx\r\n"
        yield message(te, body=one_chunk * count + b"0\r\n\r\n" + NEXT)
    for size in (8186, 8187, 8188, 8189, 8190, 8191, 8192, 8193):
        yield message(te, body=b"0\r\nX: " + b"t" * (size - 3) + b"\r\n\r\n" + NEXT)
    for length in (10_485_761, 999_999_999_999):
        yield message(b"Content-Length: %d" % length, body=b"hello")
    for start in (b"\r\n" * 3, b"\r\n" * 40):
        yield start + NEXT


def sequences() -> Iterator[bytes]:
    """Several requests on one connection, honest and not, in every order of two and three."""
    some = (
        NEXT,
        message(b"Content-Length: 5", body=b"hello"),
        message(b"Transfer-Encoding: chunked", body=HELLO),
        message(b"Content-Length: 0", method=b"HEAD"),
        message(b"Connection: close", method=b"GET"),
        message(b"Connection: Upgrade", b"Upgrade: h2c", b"Content-Length: 5", body=b"hello"),
        message(method=b"GET", target=b"/nobody/x"),
        message(method=b"GET", version=b"HTTP/1.0"),
        message(b"Content-Length: 5", b"Content-Length: 5", body=b"hello"),
        message(method=b"OPTIONS", target=b"/g/x?" + b"q" * 20),
    )
    for pair in product(some, repeat=2):
        yield b"".join(pair)
    for triple in product(some[:6], repeat=3):
        yield b"".join(triple)


def cut_short() -> Iterator[bytes]:
    """Sound requests whose sender stopped, at every byte."""
    for whole in (
        message(b"Content-Length: 5", body=b"hello"),
        message(b"Transfer-Encoding: chunked", body=b"5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n"),
    ):
        for at in range(len(whole)):
            yield whole[:at]
            yield NEXT + whole[:at]


def smuggled() -> Iterator[bytes]:
    """Requests hidden in bodies, which must stay bodies."""
    evil = b"GET /g/evil HTTP/1.1\r\nHost: a\r\n\r\n"
    for method in (b"GET", b"HEAD", b"POST", b"OPTIONS", b"DELETE", b"PUT"):
        for extra in ((), (b"Connection: Upgrade", b"Upgrade: websocket"), (b"Connection: close",)):
            counted = b"Content-Length: %d" % len(evil)
            yield message(counted, *extra, method=method, body=evil + NEXT)
            chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(evil), evil)
            yield message(b"Transfer-Encoding: chunked", *extra, method=method, body=chunked + NEXT)
            yield message(b"Content-Length: 0", *extra, method=method, body=evil + NEXT)
            yield message(*extra, method=method, body=evil + NEXT)
