"""What a callback needs besides its question: the clock, the session's scope, where to read.

The scope comes from the session of the request in progress and from nowhere else. What cannot be
read now is told in one bar, by `main`, for every page.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar
from urllib.parse import unquote

from dash import no_update, set_props
from dash.exceptions import PreventUpdate
from flask import current_app

from app.auth import current_scope
from app.domain.rule import Rule
from app.domain.scope import Scope
from app.domain.trial import Tried
from app.domain.window import SECOND_US
from app.errors import NotFound, RegistryUnavailable, Unavailable
from app.queries import Overview, Reading, Share, league_as_of, overview
from app.queries.alerts import firing
from app.queries.results import Health, IntegrationView
from dashboards import ids, urlstate, zone
from dashboards.components.states import REGISTRY_AWAY, REGISTRY_HELP, STORE_AWAY, STORE_HELP
from dashboards.recent import Recent

P = ParamSpec("P")
T = TypeVar("T")


#: How old, in seconds, an answer may be that several ask for: pages ask again as often. What lies
#: before the window, and what hardly changes within a minute, may be a minute old.
FRESH_S, SLOW_S = 10.0, 60.0
_RECENT: Recent[Any] = Recent()


@dataclass(frozen=True, slots=True)
class Asked:
    """One question of one caller at one moment."""

    reading: Reading
    scope: Scope
    now_us: int
    range: urlstate.Range


def asked(search: str | None) -> Asked:
    """The question of the request in progress, with the range of its address."""
    here = reading().for_one_request()
    now_us = here.clock()
    return Asked(here, current_scope(), now_us, urlstate.parse(search, now_us))


def reading() -> Reading:
    """Where the running app reads."""
    found: Reading = current_app.extensions["midspan"].reading
    return found


def base_url() -> str:
    """Where the running app is reached."""
    found: str = current_app.extensions["midspan"].settings.base_url
    return found


def home() -> Path:
    """The home of the running app, where other processes say how they are."""
    found: Path = current_app.extensions["midspan"].settings.home
    return found


def try_rule() -> Callable[[Rule, int, int], Tried] | None:
    """What says what a rule would have told, where the running app has it."""
    found: Callable[[Rule, int, int], Tried] | None = current_app.extensions["midspan"].try_rule
    return found


def shared_overview(ask: Asked) -> Overview:
    """The overview of the caller's scope and range, shared by all who look at it at once; its
    parts are shared with other ranges and pages."""
    window = ask.range.window
    return shared(ask, "overview", lambda: overview(ask.reading, ask.scope, window, _share_of(ask)))


def shared_league(ask: Asked) -> list[tuple[IntegrationView, Health]]:
    """Names and statuses for the frame, which every page asks for."""
    return league_as_of(ask.reading, ask.scope, ask.range.window, _share_of(ask))[1]


def shared_firing(ask: Asked) -> int:
    """How many alerts fire within the caller's scope, for the frame."""
    found: int = _share_of(ask)("firing", lambda: firing(ask.reading, ask.scope))
    return found


def shared(ask: Asked, question: Hashable, answer: Callable[[], T]) -> T:
    """What `answer()` gives, or gave within `FRESH_S` to the same question of a caller of exactly
    the same reach about the same time. `question` names everything else that it depends on."""
    found: T = _share_of(ask)((ask.range.window, question), answer)
    return found


def shared_slow(ask: Asked, question: Hashable, answer: Callable[[], T]) -> T:
    """The same, within `SLOW_S`, for what spans weeks; `question` names its time, if it has one."""
    found: T = _share_of(ask)(question, answer, slow=True)
    return found


def _share_of(ask: Asked) -> Share:
    """The same for questions that name their time themselves, or have none."""

    def share(question: Hashable, answer: Callable[[], Any], *, slow: bool = False) -> Any:
        key = (ask.reading, ask.scope, question)
        return _RECENT.ask(key, SLOW_S if slow else FRESH_S, answer)

    return share


def slug_of(pathname: str | None, page: str) -> str:
    """The slug in the address of a page of an integration; `PreventUpdate` on any other page.

    A callback may still be asked once after its page was left.
    """
    parts = [unquote(part) for part in (pathname or "").split("/")]
    if parts[:2] != ["", "integrations"] or len(parts) != 3 + bool(page):
        raise PreventUpdate
    if page and parts[3] != page:
        raise PreventUpdate
    return parts[2]


def quiet(callback: Callable[P, T]) -> Callable[P, T]:
    """A part of a page that keeps what it shows while its answer cannot be read; the page's main
    callback is the one to say so (`trouble`)."""

    @wraps(callback)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return callback(*args, **kwargs)
        except (Unavailable, NotFound) as error:
            raise PreventUpdate from error

    return wrapped


def main(callback: Callable[P, T]) -> Callable[P, T | Any]:
    """The main part of a page: says so in the error bar when its answer cannot be read, and
    takes the bar away when it can again. What the page shows stays."""

    @wraps(callback)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> Any:
        try:
            answer = callback(*args, **kwargs)
        except NotFound as error:
            raise PreventUpdate from error
        except Unavailable as error:
            _tell(*trouble(error))
            return no_update
        _tell("error-bar gone", "", "")
        return answer

    return wrapped


def trouble(error: Unavailable) -> tuple[str, str, str]:
    """Class, title and help of the error bar."""
    if isinstance(error, RegistryUnavailable):
        return "error-bar", REGISTRY_AWAY, REGISTRY_HELP
    return "error-bar", STORE_AWAY, STORE_HELP


def _tell(bar: str, title: str, advice: str) -> None:
    set_props(ids.ERROR, {"className": bar})
    set_props(ids.part(ids.ERROR, "title"), {"children": title})
    set_props(ids.part(ids.ERROR, "help"), {"children": advice})


def moment_of(text: Any, now_us: int) -> int:
    """What a picker of days and times holds, read in the viewer's zone; now for nothing and for
    what is no time."""
    if not isinstance(text, str):
        return now_us
    try:
        moment = datetime.fromisoformat(text[:32])
    except ValueError:
        return now_us
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone.current())
    return int(moment.timestamp()) * SECOND_US


Props = dict[str, Any]
