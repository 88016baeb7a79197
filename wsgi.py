"""The web process: `gunicorn wsgi:app`. Joins the application and its pages."""

import sys
from functools import partial

from flask import Flask

from alerts.trial import tried
from app import logs
from app import settings as settings_module
from app.errors import MidspanError
from app.factory import create_app, settle
from dashboards.mount import mount


def build() -> Flask:
    """The whole application, warm. `MidspanError` says in one line why it cannot be made."""
    settings = settings_module.load()
    logs.configure("web", settings.log_level, settings.log_format)
    made = create_app(settings)
    shared = made.extensions["midspan"]
    shared.try_rule = partial(tried, shared.reading, settings.home)
    mount(made, settings)
    # Dash registers its script bundles at the first request; two at once would race for it and
    # the loser's browser stay blank. Nothing can be added to the app after this line.
    made.test_client().get("/login")
    settle()
    return made


def _build_or_exit() -> Flask:
    try:
        return build()
    except MidspanError as error:
        print(f"midspan: {error}", file=sys.stderr)  # noqa: T201  (before there is anything else)
        # 4 is how gunicorn's workers say that the application cannot be loaded: no retry.
        sys.exit(4)


app = _build_or_exit()
