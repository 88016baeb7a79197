"""Every error code the proxy writes: its outcome, the status it is answered with, what it means
and what to do about it. The only such table; the error reference is printed from it.
"""

from app.domain import outcome as codes
from app.domain.words import Outcome
from collectors.proxy.refusals import REFUSALS, Entry

NO_SUCH_INTEGRATION = "no_such_integration"
NO_URL_CONFIGURED = "no_url_configured"
NO_SUCH_PATH = "no_such_path"
METHOD_NOT_ALLOWED = "method_not_allowed"
METHOD_UNKNOWN = "method_unknown"
UNKNOWN_HOST = "unknown_host"
BAD_REQUEST = "bad_request"
BAD_TARGET = "bad_target"
BAD_HOST = "bad_host"
BAD_FRAMING = "bad_framing"
BAD_VERSION = "bad_version"
BAD_CODING = "unknown_transfer_coding"
BAD_EXPECTATION = "bad_expectation"
HEAD_TOO_LARGE = "head_too_large"
BODY_TOO_LARGE = "body_too_large"
LOOP_DETECTED = "loop_detected"
MAX_FORWARDS = "max_forwards"
REQUEST_TIMEOUT = codes.REQUEST_TIMEOUT
CONNECT_TIMEOUT = codes.CONNECT_TIMEOUT
FIRST_BYTE_TIMEOUT = "first_byte_timeout"
IDLE_TIMEOUT = "idle_timeout"
TOTAL_TIMEOUT = "total_timeout"
CONNECT_REFUSED = codes.CONNECT_REFUSED
CONNECT_RESET = "connect_reset"
CONNECT_UNREACHABLE = "connect_unreachable"
CONNECT_FAILED = "connect_failed"
CONNECT_EXHAUSTED = codes.CONNECT_EXHAUSTED
ADDRESS_DENIED = codes.ADDRESS_DENIED
ADDRESS_OWN = codes.ADDRESS_OWN
DNS_NOT_FOUND = codes.DNS_NOT_FOUND
DNS_FAILED = "dns_failed"
DNS_TIMEOUT = "dns_timeout"
TLS_EXPIRED = "tls_expired"
TLS_NOT_YET_VALID = "tls_not_yet_valid"
TLS_HOSTNAME = "tls_hostname"
TLS_UNTRUSTED = "tls_untrusted"
TLS_NOT_SPOKEN = "tls_not_spoken"
TLS_VERSION = "tls_version"
TLS_CLOSED = "tls_closed"
TLS_CLIENT_CERT_REQUIRED = codes.TLS_CLIENT_CERT_REQUIRED
TLS_CLIENT_CERT_REFUSED = codes.TLS_CLIENT_CERT_REFUSED
TLS_FILES = codes.TLS_FILES
TLS_FAILED = "tls_failed"
RESET_BEFORE_ANSWER = "reset_before_answer"
RESET_MID_BODY = "reset_mid_body"
TRUNCATED = "truncated"
BAD_RESPONSE = "bad_response"
TUNNEL_IDLE = codes.TUNNEL_IDLE
CALLER_GONE = "caller_gone"
CALLER_STALLED = "caller_stalled"
PROXY_STOPPED = "proxy_stopped"


#: The message itself is at fault: nothing that follows it on its connection is read. (A method
#: that another address would take is not among them.)
MESSAGE_FAULTS = frozenset(
    {
        METHOD_NOT_ALLOWED,
        METHOD_UNKNOWN,
        BAD_REQUEST,
        BAD_TARGET,
        BAD_HOST,
        BAD_FRAMING,
        BAD_VERSION,
        BAD_CODING,
        BAD_EXPECTATION,
        HEAD_TOO_LARGE,
    }
)


_R, _T, _C = Outcome.REJECTED, Outcome.TIMEOUT, Outcome.CONNECT_ERROR
_D, _S, _P, _A = Outcome.DNS_ERROR, Outcome.TLS_ERROR, Outcome.PROTOCOL_ERROR, Outcome.ABORTED

ERRORS: dict[str, Entry] = {
    **REFUSALS,
    NO_SUCH_INTEGRATION: Entry(
        _R,
        404,
        "The path names no integration of the registry.",
        "Check the slug, and that the registry was published.",
    ),
    NO_URL_CONFIGURED: Entry(
        _R,
        404,
        "The registry has no URL for this sort of traffic.",
        "Set api_base_url or webhook_url of the integration, or api_base_url of the platform.",
    ),
    NO_SUCH_PATH: Entry(
        _R,
        404,
        "A path under /-/ that the proxy does not know.",
        "Webhooks go to /<integration>/-/webhooks/<topic>.",
    ),
    METHOD_NOT_ALLOWED: Entry(
        _R,
        405,
        "The method is not for this address; CONNECT and TRACE never are.",
        "Send webhooks with POST.",
    ),
    METHOD_UNKNOWN: Entry(
        _R, 501, "A method that is no HTTP method.", "Use a registered HTTP method."
    ),
    UNKNOWN_HOST: Entry(
        _R,
        421,
        "The Host header names a host this listener does not answer to.",
        "Call it by one of MIDSPAN_INBOUND_HOSTS, or add the name there.",
    ),
    BAD_REQUEST: Entry(
        _R, 400, "The request is not well-formed HTTP.", "Mend the client; the detail says where."
    ),
    BAD_TARGET: Entry(
        _R,
        400,
        "The request target is not a plain absolute path.",
        "Send a path that starts with one slash and has no dot segments and no fragment.",
    ),
    BAD_HOST: Entry(
        _R, 400, "There is not exactly one valid Host header.", "Send one Host: name[:port]."
    ),
    BAD_FRAMING: Entry(
        _R,
        400,
        "Where the request's body ends is missing, contradictory or malformed.",
        "Send one Content-Length, or Transfer-Encoding: chunked, not both.",
    ),
    BAD_VERSION: Entry(
        _R, 505, "A version other than HTTP/1.0 and HTTP/1.1.", "Speak HTTP/1.1 to the proxy."
    ),
    BAD_CODING: Entry(
        _R,
        501,
        "A transfer coding other than chunked.",
        "Send the body with chunked alone, or with a Content-Length.",
    ),
    BAD_EXPECTATION: Entry(
        _R, 417, "An Expect header other than 100-continue.", "Leave the Expect header out."
    ),
    HEAD_TOO_LARGE: Entry(
        _R,
        431,
        "The request line or the head is too long, or has too many headers.",
        "Send less in the URL and the headers, or raise MIDSPAN_HEAD_LINE_BYTES, _BYTES, _FIELDS.",
    ),
    BODY_TOO_LARGE: Entry(
        _R,
        413,
        "The request body is larger than the integration's limit.",
        "Send less, or raise limits.body_bytes of the integration.",
    ),
    LOOP_DETECTED: Entry(
        _R,
        508,
        "The request has come through this proxy before.",
        "Point api_base_url and webhook_url at the partner, not at Midspan.",
    ),
    MAX_FORWARDS: Entry(
        _R,
        200,
        "Max-Forwards lets this OPTIONS request go no further; Allow names what may pass here.",
        "Leave Max-Forwards out, or raise it, to ask the service itself.",
    ),
    REQUEST_TIMEOUT: Entry(
        _T,
        408,
        "The caller was too slow in sending its request.",
        "Look at the caller and the network before the proxy.",
    ),
    CONNECT_TIMEOUT: Entry(
        _T,
        504,
        "No connection (TCP and TLS) within connect_ms.",
        "Check that the address is reachable and not filtered; else raise timeouts.connect_ms.",
    ),
    FIRST_BYTE_TIMEOUT: Entry(
        _T,
        504,
        "The request was sent and no answer began within first_byte_ms.",
        "Ask what the operation waits for; else raise timeouts.first_byte_ms.",
    ),
    IDLE_TIMEOUT: Entry(
        _T,
        504,
        "The other side stopped in the middle for longer than idle_ms.",
        "Ask what stalls the transfer; else raise timeouts.idle_ms.",
    ),
    TOTAL_TIMEOUT: Entry(
        _T,
        504,
        "The exchange was not over within total_ms.",
        "Ask what takes so long; else raise timeouts.total_ms.",
    ),
    CONNECT_REFUSED: Entry(
        _C, 502, "The address refused the connection.", "Start the service, or mend its port."
    ),
    CONNECT_RESET: Entry(
        _C,
        502,
        "The connection was reset while it was being made.",
        "Look at the load balancer or firewall in front of the service.",
    ),
    CONNECT_UNREACHABLE: Entry(
        _C, 502, "There is no way to the address.", "Check routing, firewall and IPv6."
    ),
    CONNECT_FAILED: Entry(
        _C, 502, "The connection could not be made; the detail says why.", "Follow the detail."
    ),
    CONNECT_EXHAUSTED: Entry(
        _C,
        502,
        "This machine has no descriptor, port or memory left for another connection.",
        "Raise the limit that the detail names (ulimit -n, the range of local ports).",
    ),
    ADDRESS_DENIED: Entry(
        _C,
        502,
        "The name leads to an address the proxy must not dial.",
        "Use a public address, or set allow_private_addresses for an integration inside.",
    ),
    ADDRESS_OWN: Entry(
        _C,
        502,
        "The URL leads to a listener of this proxy.",
        "Point the URLs of the registry at the partner and the platform, not at Midspan.",
    ),
    DNS_NOT_FOUND: Entry(
        _D, 502, "The host name does not exist.", "Mend the URL or the DNS record."
    ),
    DNS_FAILED: Entry(
        _D, 502, "The name could not be looked up.", "Check the resolver of this machine."
    ),
    DNS_TIMEOUT: Entry(
        _D,
        502,
        "The name was not looked up within connect_ms.",
        "Check the resolver of this machine.",
    ),
    TLS_EXPIRED: Entry(_S, 502, "The certificate has expired.", "Renew the certificate."),
    TLS_NOT_YET_VALID: Entry(
        _S,
        502,
        "The certificate is not valid yet.",
        "Compare the clocks of both machines, or wait until it is.",
    ),
    TLS_HOSTNAME: Entry(
        _S,
        502,
        "The certificate is for another name, or the service knows no such name.",
        "Serve a certificate for the host in the URL.",
    ),
    TLS_UNTRUSTED: Entry(
        _S,
        502,
        "The certificate is not signed by an authority this machine trusts.",
        "Serve the whole chain, or trust the authority with SSL_CERT_FILE.",
    ),
    TLS_NOT_SPOKEN: Entry(
        _S,
        502,
        "The port does not speak TLS.",
        "Write http:// in the URL, or mend its port.",
    ),
    TLS_VERSION: Entry(
        _S,
        502,
        "The two sides have no version of TLS in common.",
        "Offer TLS 1.2 or 1.3 at the service.",
    ),
    TLS_CLOSED: Entry(
        _S,
        502,
        "The connection was closed in the middle of the TLS handshake.",
        "Look at the service: it may not know this host name, or want a client certificate.",
    ),
    TLS_CLIENT_CERT_REQUIRED: Entry(
        _S,
        502,
        "The other side wants a client certificate, and none was shown.",
        "Set tls.client_cert_file and tls.client_key_file of the integration.",
    ),
    TLS_CLIENT_CERT_REFUSED: Entry(
        _S,
        502,
        "The other side does not accept the client certificate.",
        "Renew the certificate, or have its authority trusted at the service.",
    ),
    TLS_FILES: Entry(
        _S,
        502,
        "A file named in tls of the integration cannot be used; the detail says which and why.",
        "Mend the file on the proxy's machine; it is read again once it has changed.",
    ),
    TLS_FAILED: Entry(
        _S, 502, "The TLS handshake failed; the detail says why.", "Follow the detail."
    ),
    RESET_BEFORE_ANSWER: Entry(
        _P,
        502,
        "The connection was closed before any byte of an answer.",
        "Look for a crash or a restart of the service at that time.",
    ),
    RESET_MID_BODY: Entry(
        _P,
        502,
        "The connection was reset in the middle of the answer.",
        "Look for a crash or a restart of the service at that time.",
    ),
    TRUNCATED: Entry(
        _P,
        502,
        "The connection was closed in order, but before the announced end of the answer.",
        "Make Content-Length agree with the body, and end a chunked body.",
    ),
    BAD_RESPONSE: Entry(
        _P, 502, "The answer is not well-formed HTTP; the detail says where.", "Mend the service."
    ),
    TUNNEL_IDLE: Entry(
        _T,
        504,
        "Nothing crossed a WebSocket for five minutes (or idle_ms, if that is more).",
        "Let one side send pings; or raise timeouts.idle_ms.",
    ),
    CALLER_GONE: Entry(
        _A,
        0,
        "The caller closed its connection before the exchange was over.",
        "Compare the caller's timeout with how long the operation takes.",
    ),
    CALLER_STALLED: Entry(
        _A,
        0,
        "The caller stopped reading its answer for longer than idle_ms.",
        "Look at the caller.",
    ),
    PROXY_STOPPED: Entry(
        _A,
        503,
        "The proxy was stopped and the exchange did not end within the grace period.",
        "Send it again if that is safe.",
    ),
    codes.WEBHOOK_REFUSED: Entry(
        Outcome.CLIENT_ERROR,
        0,
        "The endpoint refused its event with a 4xx other than 410 and 429.",
        "Ask the partner why its endpoint refuses events of this topic.",
    ),
    codes.WEBHOOK_REDIRECTED: Entry(
        _P,
        0,
        "The endpoint answered an event with a redirect, which is not followed.",
        "Set webhook_url to where the redirect points.",
    ),
}


def markdown() -> str:
    """The table as the error reference shows it."""
    lines = ["| code | outcome | answered | means | do |", "| --- | --- | --- | --- | --- |"]
    lines += [
        f"| `{code}` | `{e.outcome.word}` | {e.status or '–'} | {e.meaning} | {e.remedy} |"
        for code, e in sorted(ERRORS.items())
    ]
    return "\n".join(lines) + "\n"
