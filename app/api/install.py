"""Fitting the API to an app."""

from typing import Any

from flask import Flask, Response
from flask_smorest import Api
from werkzeug.exceptions import HTTPException

from app.api import probes, resources
from app.api.freshness import install_etags
from app.api.problems import MEDIA_TYPE, http_problem, install_problems
from app.api.rate import install_rate
from app.api.schemas import ProblemSchema

_INFO = {
    "description": "How integrations between a platform and its partners are doing. "
    "Times are RFC 3339 UTC, durations milliseconds. Every error is problem+json."
}
_SECURITY = {"token": {"type": "http", "scheme": "bearer"}}


class _Api(Api):  # type: ignore[misc]  # flask-smorest carries no types
    """flask-smorest, with our errors in place of its own."""

    ERROR_SCHEMA = ProblemSchema

    def handle_http_exception(self, error: HTTPException) -> Response:
        return http_problem(error)


def install(app: Flask) -> None:
    """Add the API to `app`. Its `extensions["midspan"]` must be set."""
    app.json.sort_keys = False  # type: ignore[attr-defined]  # true of the default provider
    app.config.update(
        API_TITLE="Midspan",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/api/v1",
        OPENAPI_JSON_PATH="openapi.json",
    )
    install_problems(app)
    install_rate(app, app.extensions["midspan"].settings.api_requests_per_minute)
    install_etags(app)
    api = _Api(app, spec_kwargs={"info": _INFO, "security": [{"token": []}]})
    for name, scheme in _SECURITY.items():
        api.spec.components.security_scheme(name, scheme)
    api.spec.components.response("PROBLEM", _problem_response(), lazy=False)
    api.register_blueprint(resources.blueprint())
    app.register_blueprint(probes.blueprint())


def _problem_response() -> dict[str, Any]:
    return {
        "description": "What is wrong",
        "content": {MEDIA_TYPE: {"schema": ProblemSchema}},
    }
