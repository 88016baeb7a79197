"""What the proxy's deciders return, and what its parsers raise."""

from typing import NamedTuple


class BadMessage(Exception):
    """A message that must not be passed on; `code` is one of `collectors.proxy.errors`."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class Refusal(NamedTuple):
    """Why a request is not passed on. `allow` lists the methods that would be, for a 405;
    `retry_after_s` is when to try again, 0 where nobody knows."""

    code: str
    detail: str
    allow: str = ""
    retry_after_s: int = 0
