"""An exchange as a curl command that sends it once more, through the proxy.

What was scrubbed stands as a shell variable to be set first, never as the mark that replaced it. A
text from the wire is quoted so that a shell takes it as it is: pasting the command runs curl and
nothing else, whatever the exchange held. Pure.
"""

import re
from urllib.parse import quote

from app.queries.results import ExchangeView

_MARK = re.compile(r"\[scrubbed:[0-9a-f]{8}\]")
#: Headers that curl or the proxy sets itself.
_OWN = frozenset({
    "host", "content-length", "connection", "transfer-encoding", "accept-encoding", "expect",
    "user-agent", "traceparent", "tracestate", "via", "forwarded",
})  # fmt: skip
_PATH = "/%:@!$&'()*+,;=~-._"


#: Longer than any address, header or body that is kept; what is not is cut.
_LONGEST, _LONGEST_BODY, _MOST_HEADERS = 2_500, 40_000, 60


def curl(view: ExchangeView, outbound: str, inbound: str) -> str:
    """The command; `outbound` and `inbound` are where the proxy listens (`host:port`)."""
    target = (_url(view, outbound, inbound) + _query(view))[:_LONGEST]
    address = _with_secrets(target, "SECRET_QUERY")
    lines = [f"curl -i -X {quoted(view.method)} {address}"]
    headers = view.capture.request_headers if view.capture else ()
    names = {name.lower() for name, _ in headers}
    if view.direction == "inbound" and not names & {"authorization", "x-api-key"}:
        lines.append('-H "Authorization: Bearer $TOKEN"')
    for name, value in headers[:_MOST_HEADERS]:
        if name.lower() not in _OWN:
            lines.append(f"-H {_with_secrets(f'{name}: {value}'[:_LONGEST], _variable(name[:99]))}")
    if view.capture and view.capture.request_body:
        lines.append(
            f"--data-raw {_with_secrets(view.capture.request_body[:_LONGEST_BODY], 'SECRET')}"
        )
    command = " \\\n  ".join(lines)
    if view.capture and view.capture.request_cut:
        command += "\n# the body went on; only its start was kept"
    return command


def quoted(text: str) -> str:
    """`text` as one word of a POSIX shell; what cannot be seen is written out for bash."""
    if text.isprintable():
        return "'" + text.replace("'", "'\\''") + "'"
    return "$'" + "".join(map(_escaped, text)) + "'"


def _escaped(letter: str) -> str:
    if letter in "\\'":
        return f"\\{letter}"
    if letter.isprintable():
        return letter
    return "".join(f"\\x{byte:02x}" for byte in letter.encode(errors="replace") if byte)


def _with_secrets(text: str, variable: str) -> str:
    """`text` with each mark of scrubbing as a variable between the quoted rest."""
    words = [quoted(part) if part else "" for part in _MARK.split(text)]
    return f'"${variable}"'.join(words) or "''"


def _variable(name: str) -> str:
    return re.sub(r"[^A-Z0-9]", "_", f"SECRET_{name.upper()}")


def _query(view: ExchangeView) -> str:
    query = view.capture.query if view.capture else ""
    return f"?{quote(query, safe=_PATH + '?[]')}" if query else ""


def _url(view: ExchangeView, outbound: str, inbound: str) -> str:
    path = quote(view.path, safe=_PATH)
    if view.direction == "inbound":
        return f"http://{inbound}{path}"
    slug = quote(view.integration, safe="")
    if view.topic:
        return f"http://{outbound}/{slug}/-/webhooks/{quote(view.topic, safe='')}"
    return f"http://{outbound}/{slug}{path}"
