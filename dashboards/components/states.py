"""The faces of a page that is not full: empty, not found, not readable."""

from dash import html
from dash.development.base_component import Component

from dashboards.components.attributes import data
from dashboards.ids import ERROR, part

STORE_AWAY = "Midspan cannot read its metrics store right now"
STORE_HELP = (
    "Traffic keeps flowing and is kept in the journal. What stands below is what was read last. "
    "This page tries again by itself; `python -m app doctor` says what is wrong."
)
REGISTRY_AWAY = "Midspan cannot read its registry right now"
REGISTRY_HELP = (
    "Traffic keeps flowing by the routes published last. "
    "This page tries again by itself; `python -m app doctor` says what is wrong."
)


def error_bar() -> html.Div:
    """The bar that says what cannot be read; hidden until a callback or the clock shows it."""
    return html.Div(
        [
            html.Strong("", id=part(ERROR, "title")),
            html.Span("", id=part(ERROR, "help")),
        ],
        id=ERROR,
        className="error-bar gone",
        role="alert",
    )


def not_found(what: str) -> html.Div:
    """One page for what does not exist and for what is not the caller's to know of."""
    return html.Div(
        [
            html.H1(f"There is no such {what}"),
            html.P(
                f"Either this {what} does not exist, or it is not one of yours. "
                "If somebody sent you this address, ask which account they were signed in with."
            ),
            html.P(html.A("Back to the overview", href="/")),
        ],
        className="face",
    )


def unavailable(title: str, advice: str) -> html.Div:
    """A page that could not be read at all."""
    return html.Div(
        [
            html.H1(title),
            html.P(advice),
            html.P(html.A("Try again", href="", className="button", **data(reload="1"))),
        ],
        className="face",
    )


_REGISTRY_FILE = """\
platform:
  name: Acme Cloud
  api_base_url: http://127.0.0.1:9000
partners:
  - slug: globex
    name: Globex
    integrations:
      - slug: globex-issues
        name: Globex Issues
        api_base_url: https://api.globex.example
        objectives:
          - {name: availability, target: 0.995, window: 28d}
"""


def first_steps(outbound: str, inbound: str) -> html.Div:
    """An empty Midspan: add an integration, then point a client at the proxy."""
    return html.Div(
        [
            html.H2("Add an integration"),
            html.P("Midspan knows what its registry file names. Begin with one, registry.yaml:"),
            html.Pre(_REGISTRY_FILE, className="command", tabIndex="0"),
            html.P("Bring it in. It may be changed and brought in again at any time:"),
            html.Pre("python -m app import registry.yaml", className="command", tabIndex="0"),
            html.H2("Point a client at the proxy"),
            *_two_lines("globex-issues", outbound, inbound),
        ],
        className="face panel",
    )


def nothing_yours() -> html.Div:
    """A partner to whom no integration belongs yet."""
    return html.Div(
        [
            html.H2("No integration is yours yet"),
            html.P(
                "Integrations are added by the ecosystem team of the platform. As soon as one "
                "names your organisation, it stands here with its traffic, its failures and "
                "their evidence."
            ),
        ],
        className="face panel",
    )


def no_traffic(slug: str, outbound: str, inbound: str) -> html.Div:
    """An integration nobody has called yet: why it is empty, and the two lines that fill it."""
    return html.Div(
        [
            html.H2("No exchange has crossed yet"),
            html.P(
                "This page fills itself as soon as the first one does. Point a client at the "
                "proxy in place of the address it calls today:"
            ),
            *_two_lines(slug, outbound, inbound),
            html.P(
                "Every answer then carries a Midspan-Exchange header; its value opens here as "
                "/exchanges/<id>.",
                className="dim",
            ),
        ],
        className="face panel",
    )


_EVENT = """\
curl -X POST -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
  "$MIDSPAN/api/v1/lifecycle-events" -d '[{{"id": "evt-1", "integration": "{slug}",
  "installation": "inst-1", "step": "started", "occurred_at": "2026-11-22T10:00:00Z"}}]'
"""


def no_installs(slug: str) -> html.Div:
    """An integration of whose installs nobody told anything: the two ways to tell."""
    return html.Div(
        [
            html.H2("No install began in this time, or in the time before"),
            html.P(
                "Installs are told of by the platform, step by step. With a token of an "
                "administrator or of the ecosystem team:"
            ),
            html.Pre(_EVENT.format(slug=slug), className="command", tabIndex="0"),
            html.P(
                "Or they are read off the wire: rules under infer in the registry file say which "
                "exchanges mean which step, and nothing has to be posted."
            ),
        ],
        className="face panel",
    )


def _two_lines(slug: str, outbound: str, inbound: str) -> list[Component]:
    """One command for each direction."""
    return [
        html.Div("From the platform to this partner", className="label"),
        html.Pre(f"curl -i http://{outbound}/{slug}/", className="command", tabIndex="0"),
        html.Div("From this partner to the platform", className="label"),
        html.Pre(
            f'curl -i -H "Authorization: Bearer $TOKEN" http://{inbound}/',
            className="command",
            tabIndex="0",
        ),
    ]
