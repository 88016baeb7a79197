"""What a browser may post to a callback, decided before Dash sees it.

Dash trusts the body: one that does not fit the callback it names, or that names none, ends in an
exception of its own. `fault` compares a body with the callbacks the app has; anything that our
pages could not have sent is refused as a bad request.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from dash import Dash
from dash.exceptions import DependencyException
from flask import Flask, request
from werkzeug.exceptions import BadRequest, NotFound

PATH = "/_dash-update-component"
_SUITES = "/_dash-component-suites/<string:package_name>/<path:fingerprinted_path>"
#: Properties of an address; everything else may be any JSON.
_TEXTS = frozenset({"pathname", "search", "href", "hash"})
#: The deepest value a callback takes; Dash copies values recursively.
_DEEPEST = 16
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def install(server: Flask, app: Dash) -> None:
    """Refuse what fits no callback of `app`, after whatever guards `server` already has."""

    def refuse() -> None:
        if request.path != PATH or request.method != "POST":
            return
        found = fault(cast(Any, app).callback_map, _body())
        if found:
            raise BadRequest(f"not a callback: {found}")

    server.before_request(refuse)
    _find_bundles_or_not(server)


def fault(callbacks: Mapping[str, Mapping[str, Any]], body: Any) -> str | None:
    """What keeps `body` from being a call of one of `callbacks`; None when nothing does.

    `callbacks` maps an output to its `inputs` and `state`, lists of `{"id", "property"}`.
    """
    if not isinstance(body, dict) or not isinstance(body.get("output"), str):
        return "no output"
    wanted = callbacks.get(body["output"])
    if wanted is None or "callback" not in wanted:
        return "unknown output"
    if not _are_outputs(body.get("outputs"), body["output"]):
        return "outputs"
    for part in ("inputs", "state"):
        if not _fit(body.get(part, []), wanted[part]):
            return part
    changed = body.get("changedPropIds", [])
    if not isinstance(changed, list) or not all(isinstance(each, str) for each in changed):
        return "changedPropIds"
    return None


def _body() -> Any:
    try:
        return request.get_json(silent=True)
    except RecursionError:  # brackets in brackets without end
        return None


def _are_outputs(given: Any, output: str) -> bool:
    """Whether `given` names what `output` (`a.b`, or `..a.b...c.d..`) names, in its order."""
    several = output.startswith("..")
    if several != isinstance(given, list):
        return False
    named = output[2:-2].split("...") if several else [output]
    listed = given if several else [given]
    return [_prop(each) for each in listed] == [name.partition("@")[0] for name in named]


def _prop(given: Any) -> str | None:
    if not isinstance(given, dict) or not isinstance(given.get("property"), str):
        return None
    return f"{given.get('id')}.{given['property'].partition('@')[0]}"


def _fit(given: Any, wanted: list[dict[str, Any]]) -> bool:
    """Whether `given` holds a readable value for each wanted property, in order."""
    return (
        isinstance(given, list)
        and len(given) == len(wanted)
        and all(
            isinstance(one, dict)
            and (one.get("id"), one.get("property")) == (want["id"], want["property"])
            and _readable(one.get("value"), one["property"])
            for one, want in zip(given, wanted, strict=True)
        )
    )


def _readable(value: Any, name: str) -> bool:
    if name in _TEXTS and not isinstance(value, str | None):
        return False
    return _is_sound(value, _DEEPEST)


def _is_sound(value: Any, depth: int) -> bool:
    """Whether every text in `value` can be written as UTF-8, and it is not too deep."""
    if isinstance(value, str):
        return not _LONE_SURROGATE.search(value)
    if not isinstance(value, dict | list):
        return True
    inner = [*value, *value.values()] if isinstance(value, dict) else value
    return depth > 0 and all(_is_sound(each, depth - 1) for each in inner)


def _find_bundles_or_not(server: Flask) -> None:
    """A script bundle that is none of Dash's is not found; Dash itself raises."""
    endpoint = next(rule.endpoint for rule in server.url_map.iter_rules() if rule.rule == _SUITES)
    serve: Callable[..., Any] = server.view_functions[endpoint]

    def find(**names: str) -> Any:
        try:
            return serve(**names)
        except DependencyException as error:
            raise NotFound from error

    server.view_functions[endpoint] = find
