"""What a secret looks like, by the name it goes under and by its own shape. Pure.

Every pattern is compiled by RE2, whose time is linear in the text whatever the text is; the
standard library's `re` is not, and a body is written by a stranger. Patterns work on bytes, each
byte one character, so that broken UTF-8 hides nothing.
"""

from functools import lru_cache
from typing import Any

import re2

#: Parts of a name that make what it names a secret, wherever they stand in it.
_STEMS = (
    rb"passw|passphrase|passcode|passport|pwd|secret|token|authorization|credential|cookie|csrf|xsrf"
    rb"|jwt|saml(?:request|response)|client[-_. ]?assertion|(?:code|oauth)[-_. ]?verifier"
    rb"|(?:api|app|application|account|access|auth|client|encryption|license|master|private|service"
    rb"|shared|signing|ssh|storage|subscription|webhook)[-_. ]?key|session[-_. ]?(?:id|key)"
    rb"|card[-_. ]?(?:number|num|no|holder)|(?:account|routing)[-_. ]?(?:number|num|no)"
    rb"|social[-_. ]?security|signature"
)
#: Words that do so only when they stand alone or as a word of a longer name: `card_no`, `userPin`.
_WORDS = (
    rb"(?:\b|[_0-9])(?i:auth|bearer|card|pan|pass|cvv|cvc|csc|ssn|pin|otp|totp|iban|hmac|sig|sid)"
    rb"(?:\b|[_0-9A-Z])"
    rb"|[a-z](?:Auth|Card|Pan|Pass|Cvv|Cvc|Csc|Ssn|Pin|Otp|Iban|Hmac|Sig|Sid)(?:\b|[_0-9A-Z])"
)
#: Names that look it and are not: counts and kinds.
_HARMLESS = frozenset(
    b"tokentype maxtokens totaltokens inputtokens outputtokens prompttokens completiontokens"
    b" cardtype cardbrand cookieconsent authtype authmethod".split()
)
#: Query and form parameters that are secrets only there; as JSON keys they name an error or a row.
_PARAMETERS = frozenset({b"assertion", b"code", b"key", b"ticket"})

_NO_DIGITS = bytes(set(range(256)) - set(b"0123456789"))
_DIGIT_VALUES = bytes((letter - 48) % 256 for letter in range(256))
#: A digit doubled, its own digits summed.
_DOUBLED = bytes(digit * 2 - 9 * (digit > 4) if digit < 10 else 0 for digit in range(256))

#: A separator inside a name, to be taken out before it is compared.
_SEPARATORS = bytes.maketrans(b"", b""), b"-_. %[]"


def compile_linear(pattern: bytes, *, case_sensitive: bool = True) -> Any:
    """A compiled RE2 pattern over bytes in which `.` matches every byte."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.case_sensitive = case_sensitive
    options.dot_nl = True
    options.log_errors = False
    return re2.compile(pattern, options)


_SENSITIVE = rb"(?:(?i:" + _STEMS + rb")|" + _WORDS + rb")"
#: Whether a name, or a text, has a sensitive name in it.
NAME = compile_linear(_SENSITIVE)

_IN_NAME = rb"[A-Za-z0-9_.%\[\]-]"
#: A name that may be sensitive, up to where its value starts. The group is its closing quote,
#: with the backslashes of JSON inside JSON; without one it has no blanks.
NAMED_VALUE = compile_linear(
    _IN_NAME + rb"*" + _SENSITIVE + rb"(?:[A-Za-z0-9_.%\[\] -]*(\\*[\"'])\]?|" + _IN_NAME + rb"*)"
    rb"\s*[:=]\s*"
)
#: What programs print before a value: the rest of an arrow, a type, what sort of string it is.
LEAD = compile_linear(rb"(?:>\s*)?(?:string\([0-9]+\)\s*)?[bBuUrR]?[\"']|>\s*")

_QUOTE = rb"(?:\\*[\"']|&(?:quot|apos|#0?34|#0?39|#x2[27]);)"
_ENTITY = rb"&(?:quot|apos|#0?34|#0?39|#x2[27]);"
_PLAIN = rb"[^\"'<>\\&]"
#: A name and its value, in the first two groups, as pages show them: escaped for HTML; as two
#: neighbours in an object or an element; in two cells of a table.
SHOWN = (
    compile_linear(
        rb"("
        + _IN_NAME
        + rb"*"
        + _SENSITIVE
        + _IN_NAME
        + rb"*)"
        + _ENTITY
        + rb"\s*(?::|=(?:>|&gt;)?)\s*"
        + _ENTITY
        + rb"([^&<>]+)"
    ),
    compile_linear(
        rb"\b(?i:name|key|field|id|header|label|property)"
        + _QUOTE
        + rb"?\s*[:=]\s*"
        + _QUOTE
        + rb"("
        + _PLAIN
        + rb"{0,80}"
        + _SENSITIVE
        + _PLAIN
        + rb"{0,80})"
        + _QUOTE
        + rb"[^<>{}]{0,200}?\b(?i:value|val|content|data)"
        + _QUOTE
        + rb"?\s*[:=]\s*"
        + _QUOTE
        + rb"("
        + _PLAIN
        + rb"+)"
    ),
    compile_linear(
        rb">\s*([A-Za-z0-9_. -]{0,80}" + _SENSITIVE + rb"[A-Za-z0-9_. -]{0,80})\s*:?\s*"
        rb"</(?:td|th|dt|b|strong|code|span)>\s*(?:<[^<>]*>\s*){1,4}([^<>]+)"
    ),
)
#: An XML element whose name may be sensitive, up to where its text starts.
ELEMENT = compile_linear(
    rb"<[A-Za-z0-9_:.-]*" + _SENSITIVE + rb"[A-Za-z0-9_:.-]*(?:\s[^<>]*)?>(?:\s*<!\[CDATA\[)?"
)
#: The head of a multipart part; the group is its name.
PART = compile_linear(
    rb"content-disposition:[^\r\n]*[; ]name=\"?([^\"\r\n;]*)[^\r\n]*\r?\n(?:[^\r\n]+\r?\n)*\r?\n",
    case_sensitive=False,
)
#: What ends a container or hides its end: strings and brackets.
STRING_OR_BRACKET = compile_linear(rb'"(?:[^"\\]|\\.)*"?|[{}\[\]]')
BRACKET = compile_linear(rb"[{}\[\]]")
#: What ends a value that is not quoted: behind a quoted name, and behind a bare one.
JSON_END = compile_linear(rb"[\s,}\]\"'\\]")
BARE_END = compile_linear(rb"[\s&\"'<>;]")
ESCAPED_ASCII = compile_linear(rb"\\u00([2-7][0-9A-Fa-f])")
#: A path segment behind a word that announces a secret.
PATH_SECRET = compile_linear(
    rb"/(?:tokens?|secrets?|api-?keys?|passwords?|reset|password-reset|invites?|invitations?"
    rb"|verify|confirm|magic-?links?|unsubscribe|services|hooks)/[^?#\s]{16,}",
    case_sensitive=False,
)

# What may stand before the sign by which one is known is bounded: else each search would look for
# the sign up to the end of the text, and many searches in one text would be quadratic.
_EMAIL = (
    rb"[A-Za-z0-9._+'-][A-Za-z0-9._%+'-]{0,63}"
    rb"(?:@|%40)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}"
)
_CARD = (
    rb"\b(?:4\d{3}|5[1-5]\d\d|2[2-7]\d\d|6(?:011|4[4-9]\d|[25]\d\d)|3[47]\d\d|35\d\d"
    rb"|3(?:0[0-5]|[68]\d)\d)(?:[ -]?\d){8,15}\b"
)
_VENDOR = (
    rb"\b(?:(?:sk|rk)_(?:live|test)_|whsec_|gh[opsur]_|github_pat_|glpat-|xox[abeoprs]-|xapp-"
    rb"|shp(?:at|ss|ca|pa)_|npm_|hf_|dop_v1_|sq0(?:atp|csp)-|ya29\.|SG\.|sk-|lin_api_|pypi-)"
    rb"[A-Za-z0-9_.-]{6,}"
    rb"|\bbot[0-9]{6,12}(?::|%3[Aa])[A-Za-z0-9_-]{20,}"
    rb"|\b(?:AKIA|ASIA)[0-9A-Z]{8,}|\bAIza[0-9A-Za-z_-]{20,}|\bkey-[0-9a-f]{24,}"
)
#: Secrets known by their shape; `collectors.loader.scrub` tells which from what was found.
SHAPE = compile_linear(
    rb"-----BEGIN [A-Z0-9 ]+-----.*?(?:-----END [A-Z0-9 ]+-----|\z)"
    rb"|\b(?i:bearer|basic)(?: +|%20|\+)[A-Za-z0-9._~+/=-]{6,}"
    rb"|\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,4}"
    rb"|[A-Za-z][A-Za-z0-9+.-]{0,31}://[^/\s:@\"'<>]*:[^/\s@\"'<>]*@"
    rb"|" + _VENDOR + rb"|" + _CARD + rb"|" + _EMAIL
)

#: Whether a text has any of it: the cheap first question, because most texts have not. (An RE2
#: set would answer both parts at once, but says "no" when it runs out of memory.)
HINT = compile_linear(NAME.pattern + rb"|" + SHAPE.pattern)


@lru_cache(maxsize=4096)
def is_sensitive(name: bytes, *, parameter: bool = False) -> bool:
    """Whether what goes under this name is a secret. `parameter`: it stands in a query or form."""
    plain = name.lower().translate(*_SEPARATORS)
    if parameter and plain in _PARAMETERS:
        return True
    return plain not in _HARMLESS and NAME.search(name) is not None


def is_card_number(text: bytes) -> bool:
    """Whether the digits in `text` have the length and the check digit (Luhn) of a card."""
    digits = text.translate(_DIGIT_VALUES, _NO_DIGITS)
    if not 12 <= len(digits) <= 19:
        return False
    return (sum(digits[-1::-2]) + sum(digits[-2::-2].translate(_DOUBLED))) % 10 == 0
