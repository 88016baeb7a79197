"""What a failure says, without what differs from one exchange to the next.

`normalised` replaces ids, numbers, hexadecimal, UUIDs, times and quoted values by what they are:
`{id}`, `{n}`, `{hex}`, `{uuid}`, `{time}`, `'…'`. Two failures that say the same about different
things then say the same. Pure, and linear in the length of the text, which is hostile.
"""

import re

#: The most characters of a message that are kept, and that are looked at.
MAX_CHARS = 200
_LOOKED_AT = 600
#: Where in an answer its message is looked for.
_BODY_CHARS = 2_048
#: `"message": "..."` in JSON, whole or cut; the value up to its closing quote or the end.
_JSON = re.compile(r'"([A-Za-z_]{3,18})"\s{0,8}:\s{0,8}"((?:[^"\\]|\\.){1,400})')
#: Names of values that say what failed, the most telling first.
_TELLING = {
    name: place
    for place, name in enumerate(
        ("message", "error_description", "error_message", "detail", "details", "title", "reason",
         "description", "error", "msg", "code")
    )
}  # fmt: skip
_TITLE = re.compile(r"<(?:title|h1|message|faultstring)>([^<]{1,400})", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]{0,400}>")
_UNIT = r"(?:us|µs|ms|s|m|h|d|b|kb|mb|gb|kib|mib|gib|k|x|st|nd|rd|th)"
_VARIABLE = re.compile(
    r"(?P<scrubbed>\[scrubbed:[0-9a-f]{8}\])"
    r"|(?P<uuid>\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b)"
    r"|(?P<time>\b\d{4}-\d\d-\d\d"
    r"(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?(?![\d-]))"
    r"""|(?P<quoted>(?<![\w'"`])(?:'[^'\n]{1,300}'|"[^"\n]{1,300}"|`[^`\n]{1,300}`)(?!\w)|“[^”\n]{1,300}”|«[^»\n]{1,300}»)"""
    r"|(?P<hex>\b(?:0x[0-9a-fA-F]+|(?=[a-fA-F]{0,40}\d)(?=\d{0,40}[a-fA-F])[0-9a-fA-F]{8,})\b)"
    rf"|(?P<number>(?<![A-Za-z0-9])\d+(?:[.,:]\d+)*)(?P<unit>{_UNIT}?)(?![A-Za-z0-9])"
    r"|(?<![A-Za-z0-9])(?:(?P<word>[A-Za-z]+\d+)(?![A-Za-z0-9])|(?P<id>[A-Za-z0-9]*\d[A-Za-z0-9]*))",
    re.ASCII,
)
_BLANKS = re.compile(r"[\s\x00-\x1f\x7f]+")


def normalised(text: str) -> str:
    """`text` with what is variable named, on one line, at most `MAX_CHARS` long."""
    line = _BLANKS.sub(" ", text[:_LOOKED_AT]).strip()
    return _VARIABLE.sub(_named, line)[:MAX_CHARS].rstrip()


def said(detail: str, body: str) -> str:
    """What a failure says: the error's own words, else the telling part of an answer's body."""
    return detail or _of_body(body[:_BODY_CHARS])


def _of_body(body: str) -> str:
    text = body.strip()
    if not text or text.startswith("[binary "):
        return ""
    value = _told(text)
    if value:
        return value.replace('\\"', '"').replace("\\n", " ")
    if text[0] in "{[":
        return ""
    title = _TITLE.search(text)
    if title:
        return title[1]
    lines = (line.strip() for line in _TAG.sub(" ", text).splitlines())
    return next((line for line in lines if line), "")


def _told(text: str) -> str:
    """The most telling value of a JSON text, the first among equals."""
    best, found = len(_TELLING), ""
    for match in _JSON.finditer(text):
        place = _TELLING.get(match[1].lower(), best)
        if place < best:
            best, found = place, match[2]
            if not best:
                break
    return found


def _named(match: "re.Match[str]") -> str:
    kind = match.lastgroup or ""
    if kind == "unit":
        return "{n}" + match["unit"]
    if kind == "word":
        return match["word"].rstrip("0123456789") + "{n}"
    return _PLACEHOLDERS[kind]


_PLACEHOLDERS = {
    "scrubbed": "[scrubbed]",
    "uuid": "{uuid}",
    "time": "{time}",
    "quoted": "'…'",
    "hex": "{hex}",
    "id": "{id}",
}
