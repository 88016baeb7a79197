"""Text that somebody else chose, made safe for the eye."""

_KEPT = frozenset("\n\t")


def plain(text: str | None, limit: int = 4_000) -> str:
    """Foreign text made harmless to the eye: what is invisible or turns the reading direction is
    shown as a symbol or as `\\u202e`, and the rest of a very long text is counted, not shown."""
    if not text:
        return ""
    shown = "".join(_visible(letter) for letter in text[:limit])
    if len(text) > limit:
        shown += f"… {len(text) - limit:,} more characters"
    return shown


def _visible(letter: str) -> str:
    if letter in _KEPT or letter.isprintable():
        return letter
    code = ord(letter)
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else f"\\u{code:04x}"
