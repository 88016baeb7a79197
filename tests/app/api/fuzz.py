"""Every operation of the OpenAPI document, asked with what it allows and with what it does not.

What the document cannot say is mended before a call that ought to succeed: two parameters that go
together or exclude each other, and a cursor, which only the server makes.
"""

from collections.abc import Iterator

import hypothesis
import schemathesis
from hypothesis import HealthCheck, Phase
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

QUIET = {
    "deadline": None,
    "database": None,
    "suppress_health_check": list(HealthCheck),
    "phases": [Phase.explicit, Phase.generate],
    "derandomize": True,
}

#: What a document cannot tell: which keys a rule has depends on its kind; a bad event of an array
#: is told of in a good answer.
UNTOLD = {
    "POST /api/v1/rules": [positive_data_acceptance],
    "POST /api/v1/lifecycle-events": [negative_data_rejection],
    "POST /api/v1/billing-events": [negative_data_rejection],
}


def operations(app, headers) -> Iterator:
    """The operations of the running app's own document."""
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app, headers=headers)
    for found in schema.get_all_operations():
        yield found.ok()


def fuzz(operation, headers: dict[str, str], examples: int) -> int:
    """Ask `examples` times, every check of Schemathesis on; how often it was asked."""
    asked = 0

    @hypothesis.settings(max_examples=examples, **QUIET)
    @hypothesis.given(case=operation.as_strategy())
    def run(case) -> None:
        nonlocal asked
        asked += 1
        if case.meta is None or case.meta.generation.mode is GenerationMode.POSITIVE:
            case.query = agreeing(dict(case.query or {}))
            if isinstance(case.body, dict):
                case.body = placed(case.body)
        case.call_and_validate(headers=headers, excluded_checks=UNTOLD.get(operation.label))

    run()
    return asked


def agreeing(query: dict) -> dict:
    """`query` without what contradicts itself."""
    query.pop("cursor", None)
    if "step" in query:
        query |= {"window": "1h", "step": "5m"}
    if "window" in query:
        query.pop("from", None)
        query["window"] = query["window"][-2:] if query["window"][-2] != "0" else "1h"
    if "from" not in query:
        query.pop("to", None)
    return placed(query)


def placed(values: dict) -> dict:
    """`values` with their moments on days that are in order: a document knows only formats."""
    if "ends_at" in values:
        values = {"rule": "any", **values, "starts_at": "2026-11-01T00:00:00Z"}
        values["ends_at"] = "2026-11-03" + values["ends_at"][10:]
    days = {"from": "2026-11-01", "at": "2026-11-02", "to": "2026-12-01", "until": "2026-12-01"}
    return {
        name: days[name] + value[10:] if name in days and isinstance(value, str) else value
        for name, value in values.items()
    }
