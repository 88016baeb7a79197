"""Every error as one shape: RFC 9457 `application/problem+json`, or a small page for a person.

`type` is `about:blank`: the status says what sort of thing went wrong, `title` names it, `detail`
says what to do, `errors` names the parameters that are at fault.
"""

import json
from typing import Any

from flask import Flask, Response, make_response, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.http import HTTP_STATUS_CODES

from app.errors import BadQuery, MidspanError, NotFound, Refused, Unavailable
from app.logs import get as get_logger

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5
_log = get_logger("api")

Errors = list[dict[str, str]]


def install_problems(app: Flask) -> None:
    """From now on no error of `app` leaves it in another shape. (flask-smorest hands over
    `HTTPException`: see `install`.)"""
    app.register_error_handler(NotFound, _not_found)
    app.register_error_handler(BadQuery, _bad_query)
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(Unavailable, _unavailable)
    app.register_error_handler(MidspanError, _misconfigured)
    app.register_error_handler(Exception, _defect)


def problem(
    status: int, detail: str, errors: Errors | None = None, headers: dict[str, str] | None = None
) -> Response:
    """An answer that says what is wrong, to a program or to a person."""
    title = HTTP_STATUS_CODES.get(status, "Error")
    if _for_a_person():
        response = make_response(
            render_template("problem.html", title=title, detail=detail), status
        )
    else:
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": title,
            "status": status,
            "detail": detail,
            "instance": request.path,
        }
        if errors:
            body["errors"] = errors
        response = Response(json.dumps(body), status, content_type=MEDIA_TYPE)
    response.headers.update(headers or {})
    return response


def http_problem(error: HTTPException) -> Response:
    """Whatever Flask, Werkzeug or the validation of arguments refuses."""
    if error.response is not None:
        return make_response(error.response)
    data: dict[str, Any] = getattr(error, "data", None) or {}
    errors = _flat(data.get("errors") or data.get("messages") or {})
    detail = "; ".join(f"{each['parameter']}: {each['detail']}" for each in errors)
    headers = {name: value for name, value in error.get_headers() if name not in _OWN_HEADERS}
    headers.update(data.get("headers") or {})
    return problem(error.code or 500, detail or error.description or "", errors, headers)


_OWN_HEADERS = frozenset({"Content-Type", "Content-Length"})


def _flat(messages: Any, path: tuple[str, ...] = ()) -> Errors:
    """Validation messages, nested by location and field, as one list naming the parameters."""
    if isinstance(messages, dict):
        return [each for key, value in messages.items() for each in _flat(value, (*path, str(key)))]
    texts = messages if isinstance(messages, list) else [messages]
    name = ".".join(path[1:]) if len(path) > 1 else ".".join(path)
    return [{"parameter": name, "detail": str(text)} for text in texts]


def _for_a_person() -> bool:
    """Whether a browser asked for a page, by its address and what it accepts."""
    if request.path.startswith(("/api/", "/_dash", "/livez", "/readyz", "/metrics")):
        return False
    return request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"


def _not_found(error: NotFound) -> Response:
    return problem(404, str(error))


def _bad_query(error: BadQuery) -> Response:
    errors = [{"parameter": error.parameter, "detail": str(error)}]
    return problem(422, f"{error.parameter}: {error}", errors)


def _refused(error: Refused) -> Response:
    return problem(409, str(error))


def _unavailable(error: Unavailable) -> Response:
    _log.warning("unavailable", reason=str(error))
    return problem(503, str(error), headers={"Retry-After": str(RETRY_AFTER_S)})


def _misconfigured(error: MidspanError) -> Response:
    """Something an operator has to mend (a database of another version, say)."""
    _log.error("misconfigured", reason=str(error))
    return problem(503, str(error), headers={"Retry-After": str(RETRY_AFTER_S)})


def _defect(error: Exception) -> Response:
    """The outermost edge: a defect of ours. Its trace goes to the log, never to the caller."""
    _log.error("defect", path=request.path, exc_info=error)
    return problem(500, "Midspan made a mistake; its log says more.")
