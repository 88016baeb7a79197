"""The health of one integration: what is it, how is it, since when, whose, show me one."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import quote

from dash import Dash, Input, Output, State, html

from app.auth import current_scope
from app.domain.gates import GateState
from app.domain.window import Window
from app.domain.words import Outcome
from app.queries import ExchangeFilter, gates, get_integration, list_exchanges
from app.queries.alerts import during
from app.queries.results import Health, IncidentTime
from dashboards import asking, ids, urlstate, words
from dashboards import format as show
from dashboards.components import strip
from dashboards.components.attributes import aria, data
from dashboards.components.grid import column, grid
from dashboards.components.panel import choices, panel
from dashboards.components.texts import badge_class, shown
from dashboards.ids import part
from dashboards.pages import failing, header, health_charts, health_notes, health_now, tables
from dashboards.pages.health_figures import PLACES, figures
from dashboards.pages.overview import compared, prose

PATH = "/integrations/<slug>"
NAME = "Health"

FAILURES = 12
_OF = "health"
_D = words.DEFINITIONS
_FAILING = tuple(outcome.value for outcome in Outcome if outcome != Outcome.OK)
#: What worst means: most bad ones, or the highest p95.
WORST_BY = {"": "by failures", "slow": "by slowness"}

_OPERATIONS = [
    column("operation", "Operation", "Code", keep=True, minWidth=170, flex=5,
           params={"sub": "sub"}),
    column("bad", "Bad", "Shown", right=True, tip=_D["error_ratio"], minWidth=110, flex=3),
    column("ratio", "Ratio", "Shown", right=True, tip=_D["error_ratio"], keep=True, minWidth=78,
           flex=2, params={"tone": "ratio_tone"}),
    column("p95", "p95", "Shown", right=True, tip=_D["p95"], keep=True, minWidth=80, flex=2),
    column("fault", "Fault", "Text", tip=_D["fault"], minWidth=80, flex=2),
]  # fmt: skip
_WAYS = [
    column("name", "Direction", "Linked", keep=True, minWidth=120, flex=3, params={"sub": "sub"}),
    column("traffic", "Traffic", "Spark", minWidth=104, flex=2, params={"bare": True}),
    column("ratio", "Errors", "Shown", right=True, tip=_D["error_ratio"], keep=True, minWidth=78,
           flex=2, params={"tone": "ratio_tone", "sub": "bad_text"}),
    column("p95", "p95", "Shown", right=True, tip=_D["p95"], keep=True, minWidth=76, flex=2),
    column("fault", "Fault", "Text", tip=_D["fault"], minWidth=80, flex=2),
]  # fmt: skip
_FAILURES = [
    column("started_us", "When", "When", keep=True, minWidth=96, maxWidth=130, flex=2,
           params={"href": "href"}),
    column("operation", "Operation", "Code", keep=True, minWidth=150, flex=4,
           params={"sub": "sub", "plain": True}),
    column("outcome", "Result", "Toned", keep=True, minWidth=88, flex=2, params={"tone": "tone"}),
    column("error", "Error", "Text", minWidth=160, flex=5),
    column("fault", "Fault", "Text", tip=_D["fault"], minWidth=84, flex=2),
    column("total", "Duration", "Shown", right=True, tip=_D["total_ms"], minWidth=92, flex=2),
    column("installation", "Installation", "Text", minWidth=110, flex=2),
]  # fmt: skip


def layout(slug: str, **_query: str) -> html.Div:
    """The page of one integration; `NotFound` for one that the caller may not see."""
    view = get_integration(asking.reading(), current_scope(), slug)
    return html.Div(
        [
            *header.header(_OF, view, "Health"),
            html.A("", id=part(_OF, "firing"), href="/alerts", className="gone"),
            html.Div("", id=ids.HEALTH_QUIET, className="quiet gone"),
            html.Div(
                [
                    *_same_for_all(),
                    _failures(slug),
                    health_notes.notes(),
                ],
                id=part(_OF, "full"),
                className="stack",
            ),
            html.Div(header.empty(slug), id=ids.HEALTH_EMPTY, className="gone"),
            *health_charts.stores(),
        ],
        id=ids.HEALTH_BODY,
        className="page loading",
    )


@cache
def _same_for_all() -> list[html.Div | html.Section]:
    """Most of the page: made once, because to make it takes longer than to send it."""
    return [
        html.Div([_days(), health_charts.objectives()], className="columns standing"),
        html.Div(
            [
                html.Div("", id=ids.HEALTH_PERIOD, className="period"),
                html.A("", id=ids.HEALTH_EVIDENCE, href="", **data(keep="range")),
            ],
            className="title-row",
        ),
        strip.strip(_OF, PLACES),
        html.Div(health_charts.upper(), className="columns"),
        html.Div(health_charts.lower(), className="columns"),
        html.Div([_operations(), _ways()], className="columns"),
        failing.failing(),
    ]


def register(app: Dash) -> None:
    """Several callbacks, so that a slow list does not hold the figures back."""
    _register_summary(app)
    _register_lists(app)
    health_charts.register(app)
    health_notes.register(app)


def _register_summary(app: Dash) -> None:
    @app.callback(
        {
            "body": Output(ids.HEALTH_BODY, "className"),
            "status": Output(part(_OF, "status"), "children"),
            "status_class": Output(part(_OF, "status"), "className"),
            "sentence": Output(part(_OF, "sentence"), "children"),
            "as_of": Output(part(_OF, "as-of"), "children"),
            "as_of_at": Output(part(_OF, "as-of"), "dateTime"),
            "period": Output(ids.HEALTH_PERIOD, "children"),
            "evidence": Output(ids.HEALTH_EVIDENCE, "children"),
            "evidence_href": Output(ids.HEALTH_EVIDENCE, "href"),
            "firing": Output(part(_OF, "firing"), "children"),
            "firing_href": Output(part(_OF, "firing"), "href"),
            "firing_class": Output(part(_OF, "firing"), "className"),
            "quiet": Output(ids.HEALTH_QUIET, "children"),
            "quiet_class": Output(ids.HEALTH_QUIET, "className"),
            "full": Output(part(_OF, "full"), "className"),
            "empty": Output(ids.HEALTH_EMPTY, "className"),
            "strip": [Output(*pair) for pair in strip.outputs(_OF, PLACES)],
        },
        Input(ids.LOCATION, "search"),
        Input(ids.PULSE, "data"),
        State(ids.LOCATION, "pathname"),
    )
    @asking.main
    def summary(search: str | None, _pulse: Any, pathname: str | None) -> asking.Props:
        ask, slug = asking.asked(search), asking.slug_of(pathname, "")
        near = health_charts.near(ask, slug)
        return content(slug, near.now, near.before, at_present(ask, slug), ask)


@dataclass(frozen=True, slots=True)
class Present:
    """What stands at this moment, whatever time is looked at: when the newest exchange started,
    the incidents that are on, and what the proxy keeps back."""

    newest_us: int | None
    incidents: Sequence[IncidentTime] = ()
    gates: Sequence[GateState] = ()


def at_present(ask: asking.Asked, slug: str) -> Present:
    """Asked of both databases and of the proxy's workers."""
    moment = Window(ask.now_us, ask.now_us + 1)
    states = gates(ask.reading, ask.scope, asking.home())
    newest = list_exchanges(ask.reading, ask.scope, ExchangeFilter(integrations=(slug,)), limit=1)
    return Present(
        newest.items[0].started_us if newest.items else None,
        during(ask.reading, ask.scope, slug, moment),
        [each for each in states if each.integration == slug],
    )


def content(
    slug: str, now: Health, before: Health, present: Present, ask: asking.Asked
) -> asking.Props:
    """The props of everything above the charts."""
    status = words.status(now.status)
    nothing, newest_us = now.proxied == 0, present.newest_us
    never = nothing and newest_us is None and ask.range.live
    firing, firing_href = health_now.firing(present.incidents, ask.now_us)
    held = health_now.gates(present.gates)
    quiet = _quiet(newest_us, ask) if nothing and not never else ask.range.problem or ""
    return {
        "firing": firing,
        "firing_href": firing_href,
        "firing_class": shown(bool(firing), "firing"),
        "body": "page",
        "status": status.text,
        "status_class": badge_class(now.status),
        "sentence": prose(now.sentence),
        "as_of": _as_of(newest_us, ask),
        "as_of_at": urlstate.iso(ask.now_us),
        "period": compared(ask),
        "evidence": _evidence(now),
        "evidence_href": f"/integrations/{quote(slug)}/exchanges"
        + ("?verdict=bad" if now.bad else ""),
        "quiet": f"{held} {quiet}".strip(),
        "quiet_class": shown(bool(held or quiet), "quiet late" if held else "quiet"),
        "full": shown(not never, "stack"),
        "empty": shown(never),
        "strip": strip.props(figures(now, before)),
    }


def _evidence(now: Health) -> str:
    """What the link to the exchanges of this time says."""
    if now.bad:
        return f"Show the {show.count(now.bad)} bad exchange{'' if now.bad == 1 else 's'}"
    return f"Show the {show.count(now.recorded)} exchanges" if now.recorded else ""


def _as_of(newest_us: int | None, ask: asking.Asked) -> str:
    text = f"as of {show.clock(ask.now_us)}"
    if newest_us is None:
        return text
    return f"{text} · newest exchange {show.ago(newest_us, ask.now_us)}"


def _quiet(newest_us: int | None, ask: asking.Asked) -> str:
    if newest_us is None:
        return f"No exchange in this time. {ask.range.problem or ''}".strip()
    newest = f"The newest one was {show.ago(newest_us, ask.now_us)}, {show.stamp(newest_us)}."
    return f"No exchange in this time. {newest}"


def _register_lists(app: Dash) -> None:
    @app.callback(
        Output(ids.HEALTH_GROUPS, "rowData"),
        Output(ids.HEALTH_FAILURES, "rowData"),
        Input(ids.LOCATION, "search"),
        Input(ids.PULSE, "data"),
        State(ids.LOCATION, "pathname"),
    )
    @asking.quiet
    def lists(
        search: str | None, _pulse: Any, pathname: str | None
    ) -> tuple[list[tables.Row], list[tables.Row]]:
        ask, slug = asking.asked(search), asking.slug_of(pathname, "")
        wanted = ExchangeFilter(integrations=(slug,), window=ask.range.window, outcomes=_FAILING)
        failed = list_exchanges(ask.reading, ask.scope, wanted, limit=FAILURES)
        return failing.rows(ask, slug), [tables.exchange_row(view) for view in failed.items]


def _days() -> html.Section:
    of = ids.HEALTH_DAYS
    strip_of_days = html.Div(id=part(of, "strip"), className="days", role="group",
                             **aria(label="The last 90 days, one mark for each"))  # fmt: skip
    ends = html.Div(
        [html.Span("", id=part(of, "from")), html.Span("today, UTC")], className="between ends"
    )
    said = html.Div("", id=part(of, "said"), className="detail")
    return panel("90 days", [strip_of_days, ends, said])


def _ways() -> html.Section:
    body = grid(
        ids.HEALTH_WAYS,
        _WAYS,
        row_px=48,
        empty="Nothing crossed in this time.",
        label="By direction and kind",
    )
    return panel("By direction", body)


def _operations() -> html.Section:
    body = grid(
        ids.HEALTH_OPERATIONS,
        _OPERATIONS,
        row_px=44,
        empty="No operation in this time.",
        label="Worst operations",
    )
    by = choices("worst", "Worst by", WORST_BY)
    return panel("Worst operations", body, aside=by)


def _failures(slug: str) -> html.Section:
    every = html.A(
        "all exchanges", href=f"/integrations/{quote(slug)}/exchanges", **data(keep="range")
    )
    body = grid(
        ids.HEALTH_FAILURES,
        _FAILURES,
        row_px=44,
        empty="Nothing failed in this time.",
        label="Newest failures",
    )
    return panel("Newest failures", body, aside=every, wide=True)
