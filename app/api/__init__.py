"""REST for programs: JSON, OpenAPI 3.1 at `/api/v1/openapi.json`, errors as problem+json.

Small resources that link to each other; lists are `{"items": [...], "next": cursor or null}`;
times are RFC 3339 UTC, durations milliseconds, money minor units. What may be asked is declared in
`arguments`, and a name or value that is not declared is a 422 naming it. Every answer comes from
`app.queries` with the caller's scope, which the app hands over (`extensions["midspan"]`): this
package can make none.

It never answers with a traceback: whatever goes wrong becomes one problem (`problems`), with 503
and `Retry-After` when a database is away. `/livez`, `/readyz` and `/metrics` are here, too.
"""

from app.api.install import install

__all__ = ["install"]
