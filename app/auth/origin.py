"""Whether a request that changes something may come from where it comes.

Browsers say where a request comes from in `Sec-Fetch-Site` and `Origin`, and no page can forge
either. The decision is that of Go's `net/http.CrossOriginProtection`: same origin passes, the
origin people reach us by (`MIDSPAN_BASE_URL`) passes, another one does not; a request with
neither header is no browser's and carries no cookie it was not given on purpose.
"""

from urllib.parse import urlsplit

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def allowed(
    method: str, host: str, sec_fetch_site: str | None, origin: str | None, base_url: str
) -> bool:
    """Whether to go on. `host` is the Host header, `base_url` our own public address."""
    if method in _SAFE_METHODS or (origin and origin == _origin(base_url)):
        return True
    if sec_fetch_site:
        return sec_fetch_site in {"same-origin", "none"}
    if not origin:
        return True
    return _host(origin) == host


def _host(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
