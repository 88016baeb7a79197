"""The link in a weekly report that takes its address off: signed, for one partner and one address.

It does nothing else and never ends: a mail may be opened years later.
"""

from itsdangerous import BadData, URLSafeSerializer

_LONGEST = 2_000
_SALT = "report.refuse"


def path(secret_key: str, partner: str, address: str) -> str:
    """The path and query of a link, to stand behind the address of the web server."""
    return f"/reports/refuse?token={URLSafeSerializer(secret_key, _SALT).dumps([partner, address])}"


def read(secret_key: str, token: str) -> tuple[str, str] | None:
    """Partner and address that a token names; None for one that is not ours."""
    if len(token) > _LONGEST:
        return None
    try:
        partner, address = URLSafeSerializer(secret_key, _SALT).loads(token)
    except BadData:
        return None
    return partner, address
