"""What an error code means and what to do about it, as docs/errors.md has it.

The reference is the one table people read; the pages show its words rather than a second set.
"""

from functools import cache
from pathlib import Path
from typing import NamedTuple

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "errors.md"


class Meaning(NamedTuple):
    """One row of the reference."""

    means: str
    do: str


def meaning(code: str | None) -> Meaning | None:
    """The row of a code; None for a code that is not in the reference, or without it."""
    return _table().get(code) if code else None


def of_status(status: int | None) -> Meaning | None:
    """What a failed answer of the other side says by its status alone; None for one that says
    nothing of its own."""
    return _STATUSES.get(status) if status else None


def parse(text: str) -> dict[str, Meaning]:
    """The rows `| `code` | … | means | do |` of a Markdown table."""
    found: dict[str, Meaning] = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) >= 3 and cells[0].startswith("`") and cells[0].endswith("`"):
            found[cells[0].strip("`")] = Meaning(cells[-2], cells[-1])
    return found


_STATUSES = {
    400: Meaning("The other side found the request malformed.", "Read the answer's body."),
    401: Meaning("The caller is not, or no longer, known.", "Renew the grant or the token."),
    403: Meaning("The caller may not do this.", "Check the scopes and rights of the grant."),
    404: Meaning("There is no such thing.", "Check the path and that the thing still exists."),
    409: Meaning("It contradicts the state of the thing.", "Read it again, then decide."),
    410: Meaning("It is gone for good.", "Stop asking for it."),
    413: Meaning("The other side finds the body too large.", "Send less at once."),
    415: Meaning("The media type is not taken.", "Check Content-Type."),
    422: Meaning("The request was read and makes no sense.", "Read the answer's body."),
    429: Meaning("Too many requests.", "Send slower; the answer's Retry-After says by when."),
    500: Meaning("The service failed.", "Look at its log at that time."),
    502: Meaning("A gateway there got no good answer.", "Look at the service behind it."),
    503: Meaning("The service is overloaded or away.", "Try later; look at its load."),
    504: Meaning("A gateway there waited too long.", "Look at the service behind it."),
}


@cache
def _table() -> dict[str, Meaning]:
    return parse(REFERENCE.read_text()) if REFERENCE.is_file() else {}
