"""Fitting the guard, the pages and the headers to an app."""

from flask import Flask

from app.auth.guard import install_guard
from app.auth.headers import install_headers
from app.auth.pages import blueprint

#: The largest body the web process reads: a thousand events, with room.
MAX_BODY_BYTES = 4 * 1024 * 1024


def install(app: Flask) -> None:
    """Guard every route of `app`, present and future. Its `extensions["midspan"]` must be set."""
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    install_guard(app)
    install_headers(app)
    app.register_blueprint(blueprint())
