"""Which headers a capture keeps. What is not listed is not kept, so a new secret header is safe.

Never listed: Authorization, Cookie, Set-Cookie, X-Api-Key, Proxy-*, signatures of any kind, and
Location and Referer, whose URLs carry codes and tokens.
"""

from collectors.proxy.fields import Lines, each

#: What a body is: without it a captured body cannot be read.
_BODY = "content-type content-encoding content-language content-range content-disposition"
#: What was asked for and what the answer varies by: explains a 406, a 412, a wrong language.
_NEGOTIATION = "accept accept-encoding accept-language vary if-none-match if-match etag"
_CACHING = "cache-control age expires last-modified date"
#: Who built the two programs: the first question of every support case.
_SOFTWARE = "user-agent server x-powered-by api-version x-api-version stripe-version"
#: When to come back, and how much is left: the reason for a 429 and a 503.
_PACING = (
    "retry-after ratelimit ratelimit-policy ratelimit-limit ratelimit-remaining ratelimit-reset "
    "x-ratelimit-limit x-ratelimit-remaining x-ratelimit-reset deprecation sunset"
)
#: The other side's own name for this exchange: how its support finds it. Ids, not secrets.
_CORRELATION = "x-request-id request-id x-correlation-id x-amzn-requestid cf-ray traceresponse"
#: What a webhook is, without what proves it.
_WEBHOOK = "webhook-id webhook-timestamp ce-id ce-type ce-source ce-time"
#: Why an answer was refused: names a scheme and a reason, never a credential.
_REFUSAL = "www-authenticate allow"

ALLOWED = frozenset(
    " ".join((_BODY, _NEGOTIATION, _CACHING, _SOFTWARE, _PACING, _CORRELATION, _WEBHOOK, _REFUSAL))
    .encode()
    .split()
)
_VALUE_CHARS = 1024


def allowed(fields: Lines) -> list[tuple[str, str]]:
    """The listed headers, in order, values cut to 1024 characters."""
    return [
        (name.decode("latin-1"), value[:_VALUE_CHARS].decode("latin-1"))
        for lower, name, value in each(fields)
        if lower in ALLOWED
    ]
