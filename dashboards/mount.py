"""The pages on the web server: one Dash app under `/`, guarded like everything else on it.

Nothing is fetched from anywhere but this server. No background callback, no upload of charts, no
MCP. A page is found by the explicit list of `dashboards.pages`; an address that fits none, and an
integration or exchange that is not the caller's, open the same page and answer 404.
"""

from pathlib import Path
from typing import Any, cast

from dash import Dash, Input, Output, State
from dash.development.base_component import Component
from flask import Flask, Request, Response, request
from flask_compress import Compress

from app.errors import NotFound, Unavailable
from app.settings import Settings
from dashboards import asking, callbacks, ids, router, shell, zone
from dashboards.components import states
from dashboards.pages import PAGES

ASSETS = Path(__file__).resolve().parent / "assets"
_NOT_FOUND = "Not found"
_STATIC = ("/_dash-component-suites/", "/assets/")
_WHAT = {
    "Exchange": "exchange",
    "Health": "integration",
    "Exchanges": "integration",
    "Errors": "integration",
    "Usage": "integration",
    "Installs": "integration",
    "Revenue": "integration",
}


def mount(server: Flask, settings: Settings) -> Dash:
    """Add every page to `server`, whose `extensions["midspan"]` is set."""
    app = Dash(
        "dashboards",
        server=cast(Any, server),  # Dash takes a Flask; its types say otherwise
        url_base_pathname="/",
        assets_folder=str(ASSETS),
        assets_ignore=r"scheme\.js$|mark\.svg$",
        use_pages=False,
        pages_folder="",
        title="Midspan",
        update_title=cast(Any, None),
        index_string=shell.INDEX,
        suppress_callback_exceptions=True,
        serve_locally=True,
        enable_mcp=False,
        add_log_handler=False,
        include_pages_meta=False,
    )
    app.layout = shell.layout
    shell.register(app)
    _register_router(app)
    for page in PAGES:
        page.register(app)
    callbacks.install(server, app)
    _choose_zone(server)
    server.extensions["midspan"].csp_hashes = lambda: list(app.csp_hashes())
    server.after_request(_tell_not_found)
    _compress(server)
    return app


def _choose_zone(server: Flask) -> None:
    """Every request is answered in the zone that its cookie names."""

    def choose() -> None:
        zone.choose(request.cookies.get(zone.COOKIE))

    def forget(_error: BaseException | None) -> None:
        zone.choose(None)

    server.before_request(choose)
    server.teardown_request(forget)


class _Bundles:
    """Compressed scripts and styles, which are the same for everybody: made once. Answers have no
    name here and are compressed each time."""

    _MOST = 200

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def get(self, key: str) -> bytes | None:
        return self._kept.get(key)

    def set(self, key: str, value: bytes) -> None:
        if not key.endswith(";") and len(self._kept) < self._MOST:
            self._kept[key] = value


def _bundle(asked: Request) -> str:
    """The name of what is asked for, if it is a bundle; else ""."""
    return asked.path if asked.path.startswith(_STATIC) else ""


def _compress(server: Flask) -> None:
    """A first visit is 4 MB of scripts raw and 1 MB compressed, which takes a second to make."""
    server.config.update(
        COMPRESS_CACHE_BACKEND=_Bundles,
        COMPRESS_CACHE_KEY=_bundle,
        COMPRESS_ALGORITHM=["br", "gzip"],
        COMPRESS_BR_LEVEL=4,
        COMPRESS_STREAMS=False,  # small files of ours, which it would leave open
    )
    Compress(server)


def _register_router(app: Dash) -> None:
    @app.callback(
        Output(ids.CONTENT, "children"),
        Output(ids.TITLE, "data"),
        Input(ids.LOCATION, "pathname"),
        State(ids.LOCATION, "search"),
    )
    def route(pathname: str | None, search: str | None) -> tuple[Any, str]:
        body, title = open_page(pathname, search)
        return plain(body), title


def plain(part: Any) -> Any:
    """A tree of components as the dictionaries that the browser is sent. Dash makes the same of
    it, but by way of every number in every definition of a column."""
    if isinstance(part, Component):
        made: dict[str, Any] = cast(Any, part).to_plotly_json()
        return {**made, "props": {name: plain(value) for name, value in made["props"].items()}}
    if isinstance(part, list | tuple):
        return [plain(each) for each in part]
    return part


def open_page(pathname: str | None, search: str | None) -> tuple[Any, str]:
    """The page of an address, and its title."""
    found = router.match(PAGES, pathname)
    if found is None:
        return states.not_found("page"), _NOT_FOUND
    try:
        body = found.page.layout(**{**router.query(search), **found.arguments})
    except NotFound:
        return states.not_found(_WHAT.get(found.page.NAME, "page")), _NOT_FOUND
    except Unavailable as error:
        return states.unavailable(*asking.trouble(error)[1:]), "Not readable now"
    name = next(iter(found.arguments.values()), "")
    return body, f"{found.page.NAME} {name}".strip()


def _tell_not_found(response: Response) -> Response:
    """Dash answers 200 to every address. One that opens no page, or the page of something that is
    not there for this caller, is a 404: what the browser is about to ask for decides."""
    if request.endpoint != "/<path:path>" or response.status_code != 200:
        return response
    if router.match(PAGES, request.path) is None or _opens_nothing():
        response.status_code = 404
    return response


def _opens_nothing() -> bool:
    search = request.query_string.decode(errors="replace")
    return open_page(request.path, search)[1] == _NOT_FOUND
