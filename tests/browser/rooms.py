"""Where pages are opened: a context of the browser that is kept, and left as it was found.

A new context begins with an empty cache, so that every page would load and compile some megabytes
of scripts again: most of what the browser tests would cost. Kept is only what the server lets the
browser keep; cookies and storage, where one test could see another, are cleared.
"""

from collections.abc import Sequence
from typing import Any

from playwright.sync_api import Browser, Page

#: One process for all pages of a context, so that what one has compiled serves the next.
FLAGS = ["--process-per-site"]
#: Nothing breathes while it loads: to draw it anew sixty times a second is work for nobody.
_STILL: dict[str, Any] = {"reduced_motion": "reduce"}
_SIZE = {"width": 1440, "height": 900}


class Room:
    """One context; `open` as many pages as a test needs, then `tidy`."""

    def __init__(self, browser: Browser, base: str) -> None:
        self.context = browser.new_context(viewport=_SIZE, accept_downloads=True, **_STILL)
        self._base = base
        # The page without scripts stays, or the process would end with the last page of a test.
        self._kept = self.context.new_page()
        self._kept.goto(f"{base}/login")

    def open(self, cookies: Sequence[Any], width: int = 1440, scheme: str = "light") -> Page:
        """A page that is not at any address yet, with these cookies and nothing else."""
        self.context.clear_cookies()
        self.context.add_cookies(cookies)
        page = self.context.new_page()
        page.set_viewport_size({**_SIZE, "width": width})
        page.emulate_media(color_scheme=scheme)
        return page

    def tidy(self) -> None:
        for page in self.context.pages:
            if page is not self._kept:
                page.close()
        self.context.clear_cookies()
        self.context.clear_permissions()
        self._kept.evaluate("localStorage.clear()")

    def close(self) -> None:
        self.context.close()
