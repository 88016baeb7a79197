"""Pages of lists that are ordered by slug. A cursor is the last slug shown, made opaque."""

import base64
import binascii
from collections.abc import Sequence
from typing import Protocol, TypeVar

from app.errors import BadQuery


class Named(Protocol):
    """What has a slug."""

    @property
    def slug(self) -> str:
        """Its name in addresses."""


T = TypeVar("T", bound=Named)


def page(items: Sequence[T], cursor: str | None, limit: int) -> tuple[Sequence[T], str | None]:
    """The items after `cursor`, at most `limit`, and the cursor of the rest; None when there is
    none. `BadQuery` for a cursor that is not one of ours."""
    after = _decode(cursor) if cursor is not None else ""
    rest = [each for each in items if each.slug > after]
    more = rest[limit - 1].slug if len(rest) > limit else None
    return rest[:limit], _encode(more) if more is not None else None


def _encode(slug: str) -> str:
    return base64.urlsafe_b64encode(slug.encode()).decode().rstrip("=")


def _decode(cursor: str) -> str:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        slug = base64.b64decode(padded.encode("ascii"), b"-_", validate=True).decode()
    except (ValueError, binascii.Error) as error:
        raise BadQuery("cursor", "not one of ours: use `next` of the page before") from error
    return slug
