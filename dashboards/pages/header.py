"""What the pages of one integration open with."""

from urllib.parse import quote

from dash import html
from dash.development.base_component import Component
from flask import current_app

from app.queries.results import IntegrationView
from dashboards.components import states
from dashboards.components.attributes import aria, data
from dashboards.ids import part

_TABS = (
    ("Health", ""),
    ("Errors", "/errors"),
    ("Exchanges", "/exchanges"),
    ("Installs", "/installs"),
    ("Witnesses", "/witnesses"),
    ("Usage", "/usage"),
    ("Revenue", "/revenue?window=90d"),
)
#: What an internal integration, for which nobody pays, has not.
_FOR_MONEY = frozenset({"Revenue"})


def header(of: str, view: IntegrationView, tab: str) -> list[Component]:
    """Breadcrumb, name, status, tabs, and the sentence; `of` prefixes the ids of what changes."""
    return [
        html.Div(
            [
                html.Nav(_crumbs(view), className="crumbs", **aria(label="Breadcrumb")),
                html.Time("", id=part(of, "as-of"), className="as-of"),
            ],
            className="title-row",
        ),
        html.Div(
            [
                html.H1(view.name or view.slug),
                html.Span("", id=part(of, "status"), className="badge"),
                _tabs(view, tab),
            ],
            className="title-row name-row",
        ),
        html.P("", id=part(of, "sentence"), className="opening"),
    ]


def empty(slug: str) -> html.Div:
    """The face of an integration without any traffic, with the configured addresses."""
    settings = current_app.extensions["midspan"].settings
    return states.no_traffic(slug, str(settings.outbound_bind), str(settings.inbound_bind))


def _crumbs(view: IntegrationView) -> list[Component]:
    words = [view.partner_name, view.visibility, (view.category or "").replace("-", " ")]
    parts: list[Component] = []
    for word in filter(None, words):
        if parts:
            parts.append(html.Span("/", className="slash", **aria(hidden="true")))
        parts.append(html.Span(word))
    return parts


def _tabs(view: IntegrationView, current: str) -> html.Nav:
    base = f"/integrations/{quote(view.slug)}"
    links = [
        html.A(
            name,
            href=base + path,
            className="tab",
            **(aria(current="page") if name == current else {}),
            **data(keep="range"),
        )
        for name, path in _TABS
        if name not in _FOR_MONEY or view.visibility != "internal"
    ]
    return html.Nav(links, className="tabs", **aria(label="Pages of this integration"))
