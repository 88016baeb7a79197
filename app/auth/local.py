"""Where to go after the log-in: only ever to a page of our own."""

from urllib.parse import urlsplit

HOME = "/"


def local_target(target: str | None) -> str:
    """`target` when it is a path on this host, else `HOME`.

    Refused are other hosts (`//evil`, `https:evil`), backslashes, which browsers read as slashes,
    and control characters, which they leave out.
    """
    if not target or not target.startswith("/") or target.startswith("//"):
        return HOME
    if "\\" in target or any(ord(letter) < 0x21 or ord(letter) == 0x7F for letter in target):
        return HOME
    try:
        parts = urlsplit(target)
    except ValueError:
        return HOME
    return HOME if parts.scheme or parts.netloc else target
