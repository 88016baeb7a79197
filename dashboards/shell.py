"""What stands around every page: where one is, who one is, which time is looked at."""

from typing import Any
from urllib.parse import quote

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, dcc, html
from flask import has_request_context
from werkzeug.exceptions import Unauthorized

from app.auth import current_caller
from app.domain.window import SECOND_US
from app.errors import MidspanError
from app.queries.results import Health, IntegrationView
from dashboards import asking, ids, urlstate, words
from dashboards.client import clientside
from dashboards.components.attributes import aria, data
from dashboards.components.states import error_bar
from dashboards.ids import part
from dashboards.theme import style_sheet

REFRESH_US = 10 * SECOND_US
SLOTS = 10
_STORES = (ids.PULSE, ids.ZOOM, ids.SCHEME, ids.TITLE, ids.SINK)
_ROLES = {"admin": "administrator", "ecosystem": "ecosystem team", "partner": "partner",
          "internal": "builder of"}  # fmt: skip
_KEYS = (
    ("/", "find an integration or an exchange"),
    ("g o", "go to the overview"),
    ("t", "choose another time"),
    ("r", "read again now"),
    ("?", "this list"),
    ("Esc", "close"),
)

INDEX = (
    '<!DOCTYPE html><html lang="en" data-mantine-color-scheme="light"><head>{%metas%}'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    "<title>{%title%}</title>{%favicon%}"
    '<script src="/assets/scheme.js"></script>'
    "{%css%}<style>" + style_sheet() + "</style></head>"
    "<body>{%app_entry%}<footer>{%config%}{%scripts%}{%renderer%}</footer></body></html>"
)


def layout() -> Any:
    """The frame of the caller of the request in progress; a nameless one outside a request."""
    return dmc.MantineProvider(
        [
            dcc.Location(id=ids.LOCATION, refresh=False),
            dcc.Interval(id=ids.TICK, interval=REFRESH_US // 1000),
            *(dcc.Store(id=each) for each in _STORES),
            html.A("Skip to the content", href="#content", className="skip"),
            html.Div([_side(), html.Div([_top(), _main()], className="rest")], className="app"),
            _keys(),
        ],
        theme={"primaryColor": "indigo", "fontFamily": "var(--font)", "defaultRadius": 6},
        defaultColorScheme="auto",
    )


def register(app: Dash) -> None:
    """The callbacks of the frame."""
    _register_clientside(app)

    @app.callback(
        {
            "slots": [Output(*pair) for slot in range(SLOTS) for pair in _slot_outputs(slot)],
            "known": Output(ids.FIND, "data"),
            "overview": Output(part(ids.NAV, "overview"), "className"),
            "alerts": Output(part(ids.NAV, "alerts"), "className"),
            "firing": Output(part(ids.NAV, "firing"), "children"),
        },
        Input(ids.LOCATION, "pathname"),
        Input(ids.LOCATION, "search"),
        Input(ids.PULSE, "data"),
    )
    @asking.quiet
    def navigate(pathname: str | None, search: str | None, _pulse: Any) -> asking.Props:
        ask = asking.asked(search)
        pairs = asking.shared_league(ask)
        shown = pairs[:SLOTS]
        keep = urlstate.build(ask.range) if search else ""
        props = [
            prop
            for slot in range(SLOTS)
            for prop in _slot_props(shown[slot] if slot < len(shown) else None, pathname, keep)
        ]
        return {
            "slots": props,
            "known": sorted(view.slug for view, _ in pairs),
            "overview": "nav-link current" if pathname in {"/", None} else "nav-link",
            "alerts": "nav-link current" if (pathname or "").startswith("/alerts") else "nav-link",
            "firing": asking.shared_firing(ask) or "",
        }


def _register_clientside(app: Dash) -> None:
    value, choices = Input(ids.FIND, "value"), State(ids.FIND, "data")
    start, end = State(ids.RANGE_FROM, "value"), State(ids.RANGE_TO, "value")
    chosen = Input(ids.RANGE_APPLY, "n_clicks")
    clientside(app, "mark", Output(ids.RANGE_LABEL, "children"), Input(ids.LOCATION, "href"))
    clientside(app, "title", Output(ids.SINK, "data"), Input(ids.TITLE, "data"))
    clientside(app, "tick", Output(ids.PULSE, "data"), Input(ids.TICK, "n_intervals"), first=False)
    clientside(app, "find", Output(ids.FIND, "value"), value, choices, first=False)
    clientside(app, "choose", Output(ids.RANGE_APPLY, "title"), chosen, start, end, first=False)


def _side() -> html.Aside:
    inner = [_brand(), _nav(), _user()]
    return html.Aside(html.Div(inner, className="side-inner"), className="side")


def _brand() -> html.A:
    mark = html.Img(src="/assets/mark.svg", alt="", className="mark")
    return html.A([mark, "Midspan"], href="/", className="brand")


def _nav() -> html.Nav:
    overview = part(ids.NAV, "overview")
    return html.Nav(
        [
            html.A("Overview", href="/", id=overview, className="nav-link", **data(keep="range")),
            html.A(
                ["Alerts", html.Span("", id=part(ids.NAV, "firing"), className="nav-count")],
                href="/alerts",
                id=part(ids.NAV, "alerts"),
                className="nav-link",
            ),
            html.Div("Integrations", className="nav-title"),
            *(_slot(slot) for slot in range(SLOTS)),
        ],
        className="nav",
        **aria(label="Pages"),
    )


def _slot(slot: int) -> html.A:
    of = part(ids.NAV, str(slot))
    return html.A("", id=of, href="/", className="nav-link gone", **data(icon=""))


def _slot_outputs(slot: int) -> list[tuple[str, str]]:
    of = part(ids.NAV, str(slot))
    return [
        (of, "className"),
        (of, "href"),
        (of, "title"),
        (of, "data-icon"),
        (of, "children"),
    ]


def _slot_props(
    pair: tuple[IntegrationView, Health] | None, pathname: str | None, keep: str
) -> list[str]:
    if pair is None:
        return ["nav-link gone", "/", "", "", ""]
    view, health = pair
    word = words.status(health.status)
    base = f"/integrations/{quote(view.slug)}"
    here = pathname == base or (pathname or "").startswith(f"{base}/")
    classes = f"nav-link tone-{word.tone}" + (" current" if here else "")
    return [classes, base + keep, f"{view.name}: {word.word}", word.icon, view.slug]


def _user() -> html.Div:
    name, role = _who()
    return html.Div(
        [
            html.Div(name, className="user-name", title=name),
            html.Div(role, className="user-role"),
            html.A("Settings", href="/settings", className="link-button"),
            html.Form(
                html.Button("Log out", type="submit", className="link-button"),
                action="/logout",
                method="POST",
            ),
        ],
        className="user",
    )


def _who() -> tuple[str, str]:
    """Name and role; both empty when Dash looks at the layout outside a request."""
    if not has_request_context():
        return "", ""
    try:
        caller = current_caller()
    except (Unauthorized, MidspanError):
        return "", ""
    role = _ROLES.get(caller.scope.role.value, caller.scope.role.value)
    scope = caller.scope
    places = ", ".join(sorted((scope.partners or frozenset()) | scope.integrations))
    return caller.name, f"{role} {places}".strip()


def _top() -> html.Header:
    return html.Header(
        [
            dmc.Autocomplete(
                id=ids.FIND,
                data=[],
                placeholder="Find an integration or exchange id",
                limit=8,
                className="find",
                rightSection=html.Kbd("/"),
                **aria(label="Find an integration or an exchange by its id"),
            ),
            html.Div(
                [
                    html.Div(
                        [_preset(preset) for preset in urlstate.PRESETS],
                        className="presets",
                        role="group",
                        **aria(label="Time range"),
                    ),
                    _custom(),
                    html.Button(
                        "UTC",
                        id="zone-switch",
                        className="tool wide",
                        type="button",
                        title="Times in your zone or in UTC",
                        **aria(label="Switch between your zone and UTC"),
                    ),
                    html.Button(
                        html.Span(className="scheme-icon", **aria(hidden="true")),
                        id="scheme-switch",
                        className="tool",
                        type="button",
                        title="Light or dark",
                        **aria(label="Switch between light and dark"),
                    ),
                ],
                className="tools",
            ),
        ],
        className="top",
    )


def _preset(preset: str) -> html.A:
    return html.A(
        preset,
        href=f"?window={preset}",
        className="preset",
        title=f"The last {preset}",
        **data(window=preset),
    )


def _custom() -> html.Details:
    return html.Details(
        [
            html.Summary([html.Span("Other", id=ids.RANGE_LABEL)], className="tool"),
            html.Div(
                [
                    _moment(ids.RANGE_FROM, "From"),
                    _moment(ids.RANGE_TO, "To"),
                    html.Button(
                        "Show this time", id=ids.RANGE_APPLY, type="button", className="button main"
                    ),
                ],
                className="custom",
            ),
        ],
        id=ids.RANGE,
        className="other",
    )


def _moment(of: str, label: str) -> dmc.DateTimePicker:
    return dmc.DateTimePicker(
        id=of,
        label=label,
        valueFormat="D MMM YYYY HH:mm",
        placeholder="day and time",
        size="sm",
        clearable=True,
        popoverProps={"withinPortal": True, "zIndex": 400},
    )


def _main() -> html.Main:
    return html.Main(
        [
            error_bar(),
            html.Div(
                "These numbers stand still: Midspan does not answer this page at the moment. "
                "It keeps trying.",
                className="stale-bar",
                role="status",
            ),
            html.Div(id=ids.CONTENT),
        ],
        id=ids.MAIN,
        tabIndex="-1",
    )


def _keys() -> html.Dialog:
    lines = [part for key, does in _KEYS for part in (html.Dt(key, className="kbd"), html.Dd(does))]
    return html.Dialog(
        [html.H2("Keys"), html.Dl(lines, className="facts")],
        id="keys",
        **aria(label="Keys"),
    )
