"""The web application: registry, store, guard and API put together. Pages are mounted by `wsgi`."""

import gc
from collections.abc import Callable
from dataclasses import dataclass, field

from flask import Flask, Response, g, request

from app import api, auth, telemetry
from app.auth import current_actor, current_scope
from app.auth.caller import own_scope
from app.db import registry_engine
from app.domain.rule import Rule
from app.domain.scope import Scope
from app.domain.trial import Tried
from app.errors import Unavailable
from app.logs import get as get_logger
from app.migrations import check_schema
from app.queries import Reading
from app.queries.reading import now_us
from app.settings import Settings, secret_key
from app.store.open import open_store

#: Python's own are 700, 10, 10: for programs with few objects.
_GC_THRESHOLDS = (50_000, 20, 50)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@dataclass(slots=True)
class Midspan:
    """What the parts of the app share: `app.extensions["midspan"]`.

    `current_scope` and `current_actor` are the way from a request to its scope and to who asks,
    for parts that may not import `app.auth`; `own_scope` is for what shows a signature instead.
    `csp_hashes` is set by whoever adds inline scripts to pages: the digests, asked for again at
    each page. `try_rule` says what a rule would have told over so many microseconds up to a time;
    set by whoever knows how rules are evaluated.
    """

    settings: Settings
    reading: Reading
    current_scope: Callable[[], Scope] = current_scope
    current_actor: Callable[[], str] = current_actor
    own_scope: Callable[[], Scope] = own_scope
    csp_hashes: Callable[[], list[str]] = field(default=list)
    try_rule: Callable[[Rule, int, int], Tried] | None = None


def create_app(settings: Settings, *, clock: Callable[[], int] = now_us) -> Flask:
    """The app of `settings`, whose databases may be away: it then answers 503.

    `clock` gives microseconds since 1970 UTC. `SettingsError` for a home that cannot be written.
    """
    app = Flask("app", static_folder=None)
    app.secret_key = secret_key(settings)
    engine = registry_engine(settings.registry_url)
    store = open_store(settings.metrics_url, read_only=True)
    app.extensions["midspan"] = Midspan(settings, Reading(engine, store, clock))
    telemetry.configure("web")
    telemetry.watch_home(settings.home)
    _observe_requests(app)
    auth.install(app)
    api.install(app)
    return app


def settle() -> None:
    """Tell the garbage collector that what was made until now stays, and to look less often.

    An app is a million objects; looking through them all again and again took a fifth of the time
    of every answer, in pauses of up to 0.2 s.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)


def check(settings: Settings) -> None:
    """Raise the `MidspanError` that would keep `create_app` from working, or from ever answering:
    a home that cannot be written, a database of another version. One that is away may come back,
    and is only logged."""
    secret_key(settings)
    for look in (_look_at_registry, _look_at_store):
        try:
            look(settings)
        except Unavailable as error:
            get_logger("web").warning("database_away", reason=str(error))


def _look_at_registry(settings: Settings) -> None:
    engine = registry_engine(settings.registry_url)
    try:
        check_schema(engine)
    finally:
        engine.dispose()


def _look_at_store(settings: Settings) -> None:
    open_store(settings.metrics_url, read_only=True).close()


def _observe_requests(app: Flask) -> None:
    def begin() -> None:
        route = request.url_rule.rule if request.url_rule else "none"
        # A label must not grow with what strangers invent.
        method = request.method if request.method in _METHODS else "_OTHER"
        g.midspan_span = telemetry.RequestSpan(method, route)

    def end(response: Response) -> Response:
        g.midspan_status = response.status_code
        return response

    def close(_error: BaseException | None) -> None:
        span = g.pop("midspan_span", None)
        if span is not None:
            span.end(g.pop("midspan_status", 500))

    app.before_request(begin)
    app.after_request(end)
    app.teardown_request(close)
