"""One exchange: what crossed, how long each stage took, and the evidence.

Everything here came over the wire and is hostile until shown otherwise: it goes in as text
children only, with what is invisible made visible. An exchange never changes, so the page needs
no callback.
"""

from typing import Any
from urllib.parse import quote

from dash import Dash, html
from dash.development.base_component import Component
from flask import current_app

from app.auth import current_scope
from app.queries import get_exchange, siblings
from app.queries.results import CaptureView, ExchangeView
from dashboards import asking, meanings, words
from dashboards import format as show
from dashboards.components.attributes import aria, data
from dashboards.components.panel import panel
from dashboards.components.waterfall import Stage, waterfall
from dashboards.curl import curl
from dashboards.pages import exchange_beside
from dashboards.pretty import pretty

PATH = "/exchanges/<exchange_id>"
NAME = "Exchange"

_BODY = 16_384
_FACT = 600
_HEADERS = 40


def layout(exchange_id: str, **_query: str) -> html.Div:
    """The page; `NotFound` for an id that is none or not within the caller's scope."""
    reading, scope = asking.reading(), current_scope()
    view = get_exchange(reading, scope, exchange_id)
    return html.Div(
        [
            _crumbs(view),
            html.Div(
                [
                    html.H1(show.plain(view.operation, 120), className="mono"),
                    html.Span(_result(view), className=f"badge tone-{_tone(view)}"),
                ],
                className="title-row name-row left",
            ),
            html.P(_opening(view), className="opening"),
            *_error(view),
            html.Div([_timing(view), _facts(view)], className="columns"),
            *_evidence(view),
            *exchange_beside.beside(view, siblings(reading, scope, view)),
        ],
        className="page",
    )


def register(app: Dash) -> None:
    """Nothing: an exchange never changes."""


def stages(view: ExchangeView) -> list[Stage]:
    """The stages of an exchange in order; what is left after the first byte is the transfer."""
    known = [
        Stage("waiting in the proxy", view.queue_ms),
        Stage("name and connection", view.connect_ms),
        Stage("TLS handshake", view.tls_ms),
        Stage("waiting for the answer", view.first_byte_ms),
    ]
    if view.total_ms is None:
        return known
    rest = view.total_ms - sum(stage.length_ms or 0.0 for stage in known)
    last = "request and transfer" if view.first_byte_ms is not None else "until it ended"
    return [*known, Stage(last, max(rest, 0.0))]


def _crumbs(view: ExchangeView) -> html.Nav:
    base = f"/integrations/{quote(view.integration)}"
    return html.Nav(
        [
            html.A(view.integration, href=base),
            html.Span("/", className="slash", **aria(hidden="true")),
            html.A("exchanges", href=f"{base}/exchanges"),
        ],
        className="crumbs",
        **aria(label="Breadcrumb"),
    )


def _opening(view: ExchangeView) -> str:
    who = "The platform called the partner" if view.direction == "outbound" else (
        "The partner called the platform"
    )  # fmt: skip
    if view.kind == "webhook":
        who = "The platform sent a webhook" if view.direction == "outbound" else "A webhook arrived"
    took = f" It took {show.ms(view.total_ms)}." if view.total_ms is not None else ""
    return f"{who} on {show.stamp(view.started_us)}.{took} {_judged(view)}"


def _judged(view: ExchangeView) -> str:
    if view.verdict == "good":
        return "It counts as good."
    side = words.FAULTS.get(view.fault, view.fault)
    act = f" The {side} has to act." if view.fault in {"partner", "platform", "customer"} else ""
    act = " The network between failed." if view.fault == "network" else act
    return f"It counts as {view.verdict}.{act}"


def _error(view: ExchangeView) -> list[Component]:
    found = meanings.meaning(view.error) or meanings.of_status(view.status)
    if not view.error and not view.error_detail and found is None:
        return []
    title = show.plain(view.error, 80) or (str(view.status) if view.status else "error")
    parts: list[Component] = [html.Strong(title, className="mono")]
    if found:
        parts += [html.Span(found.means), html.Span(found.do, className="do")]
    if view.error_detail:
        parts.append(html.Div(show.plain(view.error_detail, _FACT), className="mono detail"))
    return [html.Div(parts, className=f"told tone-{_tone(view)}", role="note")]


def _timing(view: ExchangeView) -> html.Section:
    total = show.ms(view.total_ms)
    return panel("Timing", waterfall(stages(view)), aside=html.Span(f"total {total}"))


def _facts(view: ExchangeView) -> html.Section:
    sent, got = show.size(view.request_bytes), show.size(view.response_bytes)
    rows: list[tuple[str, Any]] = [
        ("Id", _copyable(view.id)),
        ("Pass on", _linked(f"/exchanges/{view.id}")),
        ("Request", html.Span(show.plain(_asked(view), _FACT), className="mono")),
        ("Result", _result(view)),
        ("Fault", words.FAULTS.get(view.fault, view.fault)),
        ("Installation", show.plain(view.installation, _FACT)),
        ("Customer", show.plain(view.customer, _FACT)),
        ("Topic", show.plain(view.topic, _FACT)),
        ("Delivery", show.plain(view.delivery, _FACT)),
        ("Attempt", f"{view.attempt}" if view.attempt else ""),
        ("Bodies", f"{sent} sent, {got} received"),
        ("Trace", _copyable(show.plain(view.trace_id, 80)) if view.trace_id else ""),
        ("Again", _copyable(_command(view), "copy as curl")),
    ]
    lines = [part for name, value in rows if value for part in (html.Dt(name), html.Dd(value))]
    return panel("Facts", html.Dl(lines, className="facts"))


def _asked(view: ExchangeView) -> str:
    """The request line as far as it is kept: the query only with a capture."""
    query = view.capture.query if view.capture else ""
    return f"{view.method} {view.path}{query and '?' + query}"


def _command(view: ExchangeView) -> str:
    settings = current_app.extensions["midspan"].settings
    return curl(view, str(settings.outbound_bind), str(settings.inbound_bind))


def _copyable(text: str, name: str = "") -> html.Span:
    """A text with a button that copies it; `name`: the button alone, called so."""
    button = html.Button(name or "copy", className="copy", type="button", **data(copy=text))
    return html.Span(button if name else [html.Code(text), button])


def _linked(path: str) -> html.Span:
    """A button that copies the whole address of a page of ours, as this browser reaches it."""
    button = html.Button("copy link", className="copy", type="button", **data(link=path))
    return html.Span(button)


def _evidence(view: ExchangeView) -> list[Component]:
    if view.capture is None:
        reason = (
            "Headers and bodies were taken and are past their retention."
            if view.captured
            else "Headers and bodies are taken of failures and of a sample; not of this one."
        )
        return [html.Div(reason, className="quiet")]
    capture = view.capture
    return [
        html.Div(
            [
                _message("Request", capture.request_headers, _request_body(capture, view)),
                _message("Answer", capture.response_headers, _response_body(capture, view)),
            ],
            className="columns",
        )
    ]


def _message(title: str, headers: tuple[tuple[str, str], ...], body: list[Any]) -> html.Section:
    lines = "\n".join(
        f"{show.plain(name, 200)}: {show.plain(value, 2_000)}" for name, value in headers[:_HEADERS]
    )
    if len(headers) > _HEADERS:
        lines += f"\n… {len(headers) - _HEADERS} more headers"
    return panel(
        title,
        [
            html.Pre(lines or "no header was kept", className="wire", tabIndex="0"),
            *body,
        ],
    )


def _request_body(capture: CaptureView, view: ExchangeView) -> list[Any]:
    set_out = pretty(capture.request_body, capture.request_headers)
    return _body(set_out, capture.request_body, view.request_bytes, cut=capture.request_cut)


def _response_body(capture: CaptureView, view: ExchangeView) -> list[Any]:
    set_out = pretty(capture.response_body, capture.response_headers)
    return _body(set_out, capture.response_body, view.response_bytes, cut=capture.response_cut)


def _body(set_out: str, text: str, whole_bytes: int, *, cut: bool) -> list[Any]:
    if not text:
        return [html.Div("no body", className="detail dim")]
    kept = show.size(len(text.encode(errors="replace")))
    said = f"{show.size(whole_bytes)} crossed."
    if cut:
        said += f" The body went on; its first {kept} are kept."
    return [
        html.Pre(show.plain(set_out, _BODY), className="wire body", tabIndex="0"),
        html.Div(said, className="detail dim"),
    ]


def _result(view: ExchangeView) -> str:
    word = words.OUTCOMES.get(view.outcome, view.outcome)
    return f"{view.status} · {word}" if view.status else word


def _tone(view: ExchangeView) -> str:
    if view.verdict == "bad":
        return "bad"
    return "quiet" if view.outcome != "ok" else "ok"
