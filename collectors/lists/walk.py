"""What a page of a list says, and where the next one is. Pure."""

from typing import Any
from urllib.parse import urljoin, urlsplit

import msgspec

from app.commands.partner_lists import Listing, ListRefused
from app.domain.partner_list import ListFailure, ListState

_LONGEST_URL = 2_000


class _Item(msgspec.Struct):
    """An installation; what else is said of it is not ours."""

    installation: str
    state: str


class _Page(msgspec.Struct):
    items: list[_Item]
    total: int | None = None
    next: str | None = None


_decoder = msgspec.json.Decoder(_Page)


class Walk:
    """The way through the pages of one list, from `url` on. `most_pages`: more are refused."""

    def __init__(self, url: str, most_pages: int) -> None:
        self._home = _origin(url)
        self._most_pages = most_pages
        self._been: set[str] = {url}
        self._listing = Listing()
        self.at: str | None = url

    def take(self, body: bytes) -> None:
        """Add the page that is at `at`, and go on to the one after it; None: it was the last.
        `ListRefused` for what cannot be part of a whole and true list."""
        page = _read(body)
        # One by one, so that no page is there twice in memory.
        self._listing.add(map(msgspec.structs.asdict, page.items), page.total)
        self.at = self._next(page.next) if page.next else None

    def whole(self) -> dict[str, ListState]:
        """The list, once all pages are taken."""
        return self._listing.whole()

    def _next(self, link: str) -> str:
        url = _joined(self.at or "", link)
        if url is None or _origin(url) != self._home:
            said = "its next page is at another host, or at no address at all"
            raise ListRefused(ListFailure.PAGING_LEAVES, said)
        if url in self._been:
            said = f"page {len(self._been):,} leads back to one that was read"
            raise ListRefused(ListFailure.PAGING_LOOPS, said)
        if len(self._been) >= self._most_pages:
            said = f"it has more than {self._most_pages:,} pages"
            raise ListRefused(ListFailure.TOO_MANY_PAGES, said)
        self._been.add(url)
        return url


def _read(body: bytes) -> _Page:
    try:
        return _decoder.decode(body)
    except msgspec.ValidationError as error:
        raise ListRefused(ListFailure.UNREADABLE, f"a page is not a list: {error}") from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        cut = "truncated" in str(error)
        failure = ListFailure.TRUNCATED if cut else ListFailure.UNREADABLE
        said = "a page ends in the middle" if cut else "a page is not JSON"
        raise ListRefused(failure, said) from None


def _joined(base: str, link: str) -> str | None:
    """The address that `link` means on the page at `base`; None: none that may be asked."""
    if len(link) > _LONGEST_URL or not link.isascii() or not link.isprintable() or " " in link:
        return None
    try:
        url = urljoin(base, link)
        parts = urlsplit(url)
        fine = bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        return None
    return url.partition("#")[0] if fine and len(url) <= _LONGEST_URL else None


def _origin(url: str) -> tuple[Any, ...]:
    parts = urlsplit(url)
    usual = 443 if parts.scheme == "https" else 80
    return parts.scheme, parts.hostname, parts.port or usual
