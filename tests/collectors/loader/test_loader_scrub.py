"""Secrets are not stored: canaries in every place a secret can stand, and what must not change."""

import ast
import inspect
import json
import re
import time
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.loader import body, evidence, headers, patterns, scrub
from collectors.loader.headers import scrub_headers
from collectors.loader.patterns import is_card_number, is_sensitive
from collectors.loader.scrub import Scrubber

SCRUBBER = Scrubber("a secret of at least thirty-two letters")
CANARY = "cana-Ry~77"
MARK = re.compile(r"\[scrubbed:[0-9a-f]{8}\]")
FINGERPRINT = SCRUBBER.mark(CANARY.encode()).decode()

NAMES = [
    "password", "Password", "user_password", "passwd", "pwd", "passphrase", "secret",
    "client_secret", "clientSecret", "token", "access_token", "refreshToken", "id_token",
    "csrfToken", "api_key", "apiKey", "API-KEY", "x-api-key", "private_key", "signing_key",
    "authorization", "Proxy-Authorization", "auth", "credentials", "cookie", "set-cookie",
    "session_id", "sessionid", "card", "card_number", "cardNumber", "cvv", "cvc", "ssn", "userSsn",
    "pin", "userPin", "otp", "iban", "social_security_number", "x-hub-signature-256",
    "webhook-signature", "sig", "jwt", "user[password]", "pass", "db_pass", "dbPass", "hmac",
    "AccountKey", "SharedAccessKey", "Ocp-Apim-Subscription-Key", "app_key", "authKey",
    "SAMLResponse", "client_assertion", "code_verifier", "oauth_verifier", "passport_no",
]  # fmt: skip
HARMLESS = [
    "id", "name", "author", "authored_by", "authority", "discard", "cardinality", "scorecard",
    "shipping", "spinner", "opinion", "company", "panel", "assignee", "design", "insider",
    "inside", "session", "key", "code", "token_type", "tokenType", "max_tokens", "total_tokens",
    "tissue", "status", "passed", "compass", "passenger", "bypass", "passive", "verifier", "monkey",
    "assertions", "keyword", "public_key_id", "primary_key",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_these_names_are_of_secrets(name):
    assert is_sensitive(name.encode())


@pytest.mark.parametrize("name", HARMLESS)
def test_these_names_are_not(name):
    assert not is_sensitive(name.encode())


def test_code_and_key_are_secrets_only_as_parameters():
    assert is_sensitive(b"code", parameter=True)
    assert is_sensitive(b"key", parameter=True)


def text(given: str) -> str:
    return SCRUBBER.text(given.encode()).decode()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "shape",
    [
        '{{"a": 1, "{name}": "{canary}", "b": 2}}',
        '{{"deep": [{{"er": {{"{name}" : "{canary}"}}}}]}}',
        '{{"{name}": ["{canary}", {{"x": "{canary}"}}], "b": 2}}',
        '{{"{name}": {{"number": "{canary}", "more": ["}}", "{canary}"]}}, "b": 2}}',
        '{{"a": 1, "{name}": "{canary}',
        '{{"a": 1, "{name}": {{"x": "{canary}',
        "{{'{name}': '{canary}', 'b': 2}}",
        '{{"payload": "{{\\"{name}\\": \\"{canary}\\", \\"b\\": 2}}"}}',
        "<r><{name}>{canary}</{name}><b>2</b></r>",
        '<r><ns:{name} at="1"><![CDATA[{canary}]]></ns:{name}><b>2</b></r>',
        '<r {name}="{canary}" b="2"/>',
        "{name}={canary}&b=2",
        "b=2; {name}={canary}",
        "GET https://host/path?b=2&{name}={canary} failed",
        "{name}: {canary}\nb: 2",
        '{{"fields": [{{"name": "{name}", "value": "{canary}"}}], "b": 2}}',
        '{{"fields": [{{"key": "{name}", "type": "x", "val": "{canary}"}}], "b": 2}}',
        '{{"p": "{{\\"name\\": \\"{name}\\", \\"value\\": \\"{canary}\\"}}", "b": 2}}',
        '<input type="hidden" name="{name}" value="{canary}"><b>2</b>',
        "<meta name='{name}' content='{canary}'><b>2</b>",
        "<tr><td>{name}</td><td>{canary}</td></tr><tr><td>b</td><td>2</td></tr>",
        '<dt>{name}:</dt>\n<dd class="x"><pre>{canary}</pre></dd><dt>b</dt><dd>2</dd>',
        "{{&quot;{name}&quot;: &quot;{canary}&quot;, &quot;b&quot;: 2}}",
        "{{&#34;{name}&#34;=&gt;&#34;{canary}&#34;, &#34;b&#34;=&gt;2}}",
        '{{"{name}"=>"{canary}", "b"=>2}}',
        "Array\n(\n    [{name}] => {canary}\n    [b] => 2\n)",
        'array(2) {{ ["{name}"]=> string(10) "{canary}" ["b"]=> int(2) }}',
        "{{'{name}': b'{canary}', 'b': 2}}",
        '--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{canary}\r\n--x--',
        '--x\r\nContent-Disposition: form-data; name="{name}"\r\nA: b\r\n\r\n{canary}\r\n--x--',
    ],
)
def test_a_value_under_a_secret_name_is_replaced_wherever_it_stands(name, shape):
    if "<" in shape and not re.fullmatch(r"[\w-]+", name):
        name = "password"  # no name of an element
    found = text(shape.format(name=name, canary=CANARY))
    assert CANARY not in found
    assert MARK.search(found)
    if "2" in shape:
        assert "2" in MARK.sub("", found)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Authorization: Bearer {}", "Authorization: Bearer "),
        ("curl -H 'authorization: Basic {}'", "curl -H 'authorization: Basic "),
        ("sent bearer {} to us", "sent bearer "),
        ("redis://user:{}@cache:6379/0", "@cache:6379/0"),
        ("postgresql://:{}@db/x", "@db/x"),
    ],
)
def test_what_surrounds_a_credential_stays(given, kept):
    found = text(given.format("cana-Ry77"))
    assert "cana-Ry77" not in found
    assert kept in found


@pytest.mark.parametrize(
    "secret",
    [
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3In0.c2lnbmF0dXJl",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiO",  # cut
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEpA+/=\nabc\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\\nMIIEpA\\nabc",  # cut, inside JSON
        "sk_live_51Habcdefgh", "rk_test_51Habcdefgh", "whsec_abcdefghij", "ghp_abcdefghijklmnop",
        "github_pat_11ABCDEFG0abcdefg", "glpat-abcdefghijk", "xoxb-123456789012-abcdef",
        "bot110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw",
        "AKIAIOSFODNN7EXAMPLE", "AIzaSyA1234567890abcdefghijklmnop", "ya29.a0AfH6SMBabcdef",
        "SG.abcdefghij.klmnopqrst", "npm_abcdefghijkl", "shpat_abcdef0123456789",
        "4111 1111 1111 1111", "4111111111111111", "5500-0000-0000-0004", "340000000000009",
        "6011000000000004", "3530111333300000",
    ],
)  # fmt: skip
def test_a_secret_is_known_by_its_shape(secret):
    found = text(f'{{"note": "see {secret}", "b": 2}}')
    assert secret not in found
    assert len(MARK.findall(found)) == 1


@pytest.mark.parametrize(
    "harmless",
    [
        "1795354710717851", "4111111111111112", "1763646432500", "order 1234-5678-9012",
        "0b9f9f9e-2f0a-4a7b-9d9b-1b2b3b4b5b6b", "https://host:8080/path", "a@b", "user@localhost",
        "package@1.2.3", "basic training", "eyJ", "task-force", "skill", "[scrubbed:12345678]",
        "-----BEGIN", "2026-11-22T10:00:00Z", "ghp_", "v1.2.3",
    ],
)  # fmt: skip
def test_what_only_looks_like_one_stays(harmless):
    assert text(harmless) == harmless


def test_of_an_address_the_domain_stays():
    assert re.fullmatch(r"to \[scrubbed:\w{8}\]@example.com!", text("to ann.b+c@example.com!"))
    assert re.fullmatch(r"/u/\[scrubbed:\w{8}\]%40example.com/x", text("/u/ann%40example.com/x"))


@pytest.mark.parametrize("literal", ["null", "true", "false", '""'])
def test_that_there_was_no_value_stays_visible(literal):
    given = f'{{"password": {literal}}}'
    assert text(given) == given


def test_numbers_under_a_secret_name_leave_valid_json():
    found = json.loads(text('{"pin": 1234, "cvv":"999","n":{"otp":7}, "x": [1]}'))
    assert MARK.fullmatch(found["pin"])
    assert MARK.fullmatch(found["cvv"])
    assert MARK.fullmatch(found["n"]["otp"])
    assert found["x"] == [1]


def test_an_escaped_name_is_the_name():
    assert CANARY not in text('{"pass\\u0077ord": "' + CANARY + '"}')


def test_an_escaped_quote_ends_no_secret():
    assert text('{"password": "a\\"cana", "b": 2}').endswith('", "b": 2}')
    assert "cana" not in text('{"password": "a\\"cana", "b": 2}')
    assert "cana" not in text('{"p": "{\\"password\\": \\"a\\\\\\"cana\\"}"}')


def test_equal_values_have_equal_fingerprints_however_they_came():
    shapes = [
        '{{"token": "{}"}}', "token={}", "<token>{}</token>",
        '{{"p": "{{\\"token\\": \\"{}\\"}}"}}',
    ]  # fmt: skip
    assert {MARK.search(text(shape.format(CANARY)))[0] for shape in shapes} == {FINGERPRINT}
    assert scrub_headers(SCRUBBER, [("x-token", CANARY)]) == (("x-token", FINGERPRINT),)


def test_another_installation_has_other_fingerprints():
    assert Scrubber("another secret of thirty-two letters").mark(b"a") != SCRUBBER.mark(b"a")
    assert SCRUBBER.mark(b"a") != SCRUBBER.mark(b"b")


def test_forms_are_read_as_their_receiver_reads_them():
    embedded = quote_plus(json.dumps({"token": CANARY, "b": 2}))
    found = SCRUBBER.form(
        f"a=1&user%5Bpassword%5D={CANARY}&client%5Fsecret={CANARY}&code={CANARY}"
        f"&payload={embedded}&note=see+ann%40example.com&empty=&flag".encode()
    ).decode()
    assert CANARY not in found
    assert quote_plus(CANARY) not in found
    assert found.startswith("a=1&user%5Bpassword%5D=[scrubbed:")
    assert found.endswith("%40example.com&empty=&flag") or found.endswith("&empty=&flag")
    assert "ann" not in found


def test_a_form_that_changes_nothing_is_handed_back_as_it_came():
    raw = b"a=1&b=x+y%20z&c=%E2%82%AC&&=&d"
    assert SCRUBBER.form(raw) == raw


def test_json_sent_as_a_form_is_read_as_json():
    assert SCRUBBER.form(b'{"password":"a&b=c"}').count(b"scrubbed") == 1
    assert b"b=c" not in SCRUBBER.form(b'{"password":"a&b=c"}')


def test_paths_are_searched_together_and_cleaned_one_by_one():
    given = [
        "/v1/issues/7", "/users/ann@example.com/mail", "", "/a;token=cana77;b=2",
        "/reset/0123456789abcdefcana", "/v1/tokens/revocations", "/v1/issues/8", "/é/password=cana",
        "/hooks/T012ABCDE/B012ABCDE/cana5678",
    ]  # fmt: skip
    found = SCRUBBER.paths(given)
    assert len(found) == len(given)
    assert not any("cana" in path or "ann" in path for path in found)
    for clean in (0, 2, 5, 6):
        assert found[clean] == given[clean]
    assert SCRUBBER.paths(found) == found


def test_clean_paths_are_handed_back_as_they_are():
    given = [f"/v1/issues/{number}/comments" for number in range(1000)]
    assert SCRUBBER.paths(given) is given


def test_an_error_detail_has_neither_secrets_nor_control_characters():
    found = SCRUBBER.detail("refused\x00 by \x1b[31mredis://u:cana@host\n")
    assert "cana" not in found
    assert found.isprintable()


@pytest.mark.parametrize(("cut", "kept"), [(True, False), (False, True)])
def test_half_a_card_number_is_one_when_the_rest_was_cut_off(cut, kept):
    raw = b"card on file 4111 1111 1111 11"
    assert (raw == SCRUBBER.text(raw, cut=cut)) == kept


anything = st.binary(max_size=400)
pieces = st.lists(
    st.sampled_from(
        [b'"', b"'", b"\\", b"{", b"}", b"[", b"]", b":", b"=", b"&", b"<", b">", b" ", b"\r\n",
         b"--", b"password", b"token", b"pin", b"x", b"7", b"@", b"://", b"[scrubbed:",
         b"4111111111111111", b"eyJabcdefgh", b"-----BEGIN KEY-----", b"%40", b"%22", b"\\u0041",
         b'Content-Disposition: form-data; name="', b"Bearer abcdefgh", b"ann@example.com",
         b"<![CDATA[", b"]]>", b"null", b"\xff", b"sk_live_abcdefgh"]
    ),
    max_size=30,
).map(b"".join)  # fmt: skip


@given(anything | pieces)
def test_no_text_is_too_strange(raw):
    assert isinstance(SCRUBBER.text(raw), bytes)
    assert isinstance(SCRUBBER.form(raw), bytes)


@given(st.lists(st.tuples(st.sampled_from([*NAMES, "a", "b"]), st.text(max_size=20)), max_size=6))
def test_scrubbing_twice_changes_nothing(pairs):
    once = SCRUBBER.text(json.dumps(dict(pairs)).encode())
    assert SCRUBBER.text(once) == once
    form = SCRUBBER.form("&".join(f"{quote_plus(k)}={quote_plus(v)}" for k, v in pairs).encode())
    assert SCRUBBER.form(form) == form


secrets = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=12, max_size=40
).map(lambda drawn: f"cana{drawn}Ry")
documents = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.text("xyz ", max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=8,
)


@given(documents, st.sampled_from(NAMES), secrets, st.booleans(), st.integers(0, 40))
def test_no_secret_survives_in_json_whole_cut_or_embedded(document, name, secret, ascii_only, cut):
    given = json.dumps({"a": document, name: secret, "z": document}, ensure_ascii=ascii_only)
    for raw in (given, given[: len(given) - cut], json.dumps({"payload": given})):
        found = SCRUBBER.text(raw.encode())
        for form in (secret, json.dumps(secret)[1:-1], json.dumps(json.dumps(secret))[3:-3]):
            # Its middle: what lies before an escaped end is as telling as the whole.
            assert form[4:12].encode() not in found or form[4:12] in json.dumps(document)


@pytest.mark.parametrize(
    ("number", "valid"),
    [(b"4111 1111 1111 1111", True), (b"4111111111111112", False), (b"0000", False), (b"", False)],
)
def test_a_card_number_has_a_check_digit(number, valid):
    assert is_card_number(number) == valid


@pytest.mark.parametrize("module", [scrub, patterns, body, headers, evidence])
def test_only_linear_patterns_touch_what_came_over_the_wire(module):
    """The standard library's `re` backtracks; a hostile body of 130 KB holds it for seconds."""
    tree = ast.parse(inspect.getsource(module))
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert "re" not in imported


@pytest.mark.parametrize(
    "raw",
    [
        b"a." * 131_072,
        b"-----BEGIN " * 49_152,
        b"a-" * 100_000,
        b"token" * 50_000,
        b'{"token":' * 7_000,
        b"[" * 65_536,
        b'{"token":' + b"[" * 65_536,
        b'"token":"' + b'\\"' * 30_000,
        b"4111 " * 13_000,
        b"<token " * 9_000,
        b"Content-Disposition: form-data; name=" * 1_700,
        b"password=" * 7_000,
        b"&".join([b"a=%41"] * 9_000),
    ],
    ids=range(13),
)
def test_hostile_text_is_scrubbed_with_a_bounded_number_of_searches(raw, monkeypatch):
    """Time is measured in `bench.loader`; here, that the work is linear: each search starts behind
    the one before, so there are never more of them than bytes, and in truth far fewer."""
    searches = 0
    inner = patterns.NAMED_VALUE.__class__._match

    def counting(self, *args):
        nonlocal searches
        for found in inner(self, *args):
            searches += 1
            yield found

    monkeypatch.setattr(patterns.NAMED_VALUE.__class__, "_match", counting)
    SCRUBBER.text(raw)
    assert searches <= len(raw) // 3 + 10


def least_ms(raw: bytes) -> float:
    """CPU time of the quickest of three tries."""
    spent = []
    for _ in range(3):
        begun = time.process_time()
        SCRUBBER.text(raw)
        SCRUBBER.form(raw)
        spent.append((time.process_time() - begun) * 1e3)
    return min(spent)


@pytest.mark.parametrize(
    "unit",
    [b"a.", b"-----BEGIN ", b"a-", b"token", b'{"token":', b"4111 ", b"bearer ", b"a=%41&",
     b"pin=secret7&", b"<token ", b'name="pin" ', b"name='pin' value='x1'", b"<td>pin</td><b>",
     b"pin&quot;:", b"pin =>", b"bot123456:", b"eyJabcdefgh."],
)  # fmt: skip
def test_the_time_that_hostile_text_takes_grows_with_its_length_and_no_faster(unit):
    """Four times the text may take four times as long; what backtracks takes sixteen times."""
    short, long = least_ms(unit * 2000), least_ms(unit * 8000)
    assert long < 8 * short + 5
