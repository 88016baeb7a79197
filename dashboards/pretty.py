"""A captured body as people read it: one value, one element or one field on a line.

Nothing is parsed, so nothing can be too deep, expand or refuse: whatever came is shown, cut bodies
as far as they go, and every letter of it is still there, but for blanks between the parts. Pure,
and linear in the length of the body.
"""

import re
from collections.abc import Sequence
from urllib.parse import unquote_plus

#: Beyond so many levels the lines are not moved further to the right.
_DEEPEST = 16
_JSON = re.compile(r'"(?:[^"\\]|\\.)*"?|[{}\[\],:]|[^\s{}\[\],:"]+')
_XML = re.compile(r"<[^>]*>?|[^<]+")
_FORM = "application/x-www-form-urlencoded"
_EMPTY = {"{": "}", "[": "]"}
_COLON, _COMMA = ":", ","


def pretty(text: str, headers: Sequence[tuple[str, str]]) -> str:
    """`text` set out by its media type, or by how it begins; other text as it is."""
    kind = media_type(headers)
    start = text.lstrip()[:1]
    if kind == _FORM and start not in "{[":
        return _form(text)
    if "json" in kind or (not kind and start in ("{", "[")):
        return _json(text)
    if kind.endswith("xml"):
        return _xml(text)
    return text


def media_type(headers: Sequence[tuple[str, str]]) -> str:
    """The media type of a message, in lower case; "" when it names none."""
    found = next((value for name, value in headers if name.lower() == "content-type"), "")
    return found.partition(";")[0].strip().lower()


def _form(text: str) -> str:
    pairs = (pair.partition("=") for pair in text.strip().split("&"))
    return "\n".join(f"{unquote_plus(name)} = {unquote_plus(value)}" for name, _, value in pairs)


def _json(text: str) -> str:
    parts: list[str] = []
    depth, opened = 0, ""
    for match in _JSON.finditer(text):
        part = match.group()
        if opened and part != _EMPTY[opened]:
            parts.append(_line(depth))
        if part in "}]":
            depth = max(depth - 1, 0)
            if not opened:
                parts.append(_line(depth))
        opened = part if part in _EMPTY else ""
        depth += bool(opened)
        parts.append(f"{part} " if part == _COLON else part)
        if part == _COMMA:
            parts.append(_line(depth))
    return "".join(parts)


def _xml(text: str) -> str:
    lines: list[str] = []
    depth = 0
    for match in _XML.finditer(text):
        token = match.group().strip()
        closing = token.startswith("</")
        depth = max(depth - closing, 0)
        if token:
            lines.append("  " * min(depth, _DEEPEST) + token)
        opens = token.startswith("<") and not token.startswith(("</", "<?", "<!"))
        depth += opens and not token.endswith("/>")
    return "\n".join(lines)


def _line(depth: int) -> str:
    return "\n" + "  " * min(depth, _DEEPEST)
