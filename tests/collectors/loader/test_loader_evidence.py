"""The evidence of an exchange: headers by allow-list, and no secret of one part in another."""

import base64
import gzip
import json
import re
from urllib.parse import quote

import pytest

from app.domain.ids import exchange_id
from collectors.loader.evidence import scrub_capture
from collectors.loader.headers import VALUE_CHARS, scrub_headers
from collectors.loader.scrub import Scrubber
from collectors.record import Capture
from tests.collectors.loader.loader_fakes import exchange

SCRUBBER = Scrubber("a secret of at least thirty-two letters")
CANARY = "cana-Ry~77-xyz"
MARK = SCRUBBER.mark(CANARY.encode()).decode()


def headers(*pairs):
    return scrub_headers(SCRUBBER, pairs)


def scrubbed(**parts):
    capture = Capture(**{
        "request_headers": [], "request_body": b"", "response_headers": [], "response_body": b"",
        **parts,
    })  # fmt: skip
    sizes = {"request_bytes": len(capture.request_body),
             "response_bytes": len(capture.response_body)}  # fmt: skip
    return scrub_capture(SCRUBBER, exchange(id=exchange_id(1, 1, 1), **sizes), capture)


@pytest.mark.parametrize(
    "name", ["Authorization", "X-Api-Key", "Cookie", "Set-Cookie", "Stripe-Signature",
             "X-Amz-Security-Token", "X-Nobody-Knows-This", "Referer", "Origin", "x"]
)  # fmt: skip
def test_of_a_header_that_is_not_listed_only_a_fingerprint_is_kept(name):
    assert headers((name, CANARY)) == ((name, MARK),)


def test_equal_values_have_equal_fingerprints_under_any_name_and_scheme():
    found = headers(("X-Api-Key", CANARY), ("Authorization", f"Bearer {CANARY}"), ("X-B", "other"))
    assert found[0][1] == MARK
    assert found[1][1] == f"Bearer {MARK}"
    assert found[2][1] != MARK


def test_listed_headers_are_kept_in_order_and_repeated():
    given = (
        ("Content-Type", "application/json"), ("date", "Sun, 22 Nov 2026 10:00:00 GMT"),
        ("Content-Type", "text/plain"), ("User-Agent", "acme-sync/4.2"),
    )  # fmt: skip
    assert headers(*given) == given


def test_a_secret_in_a_listed_header_is_seen_by_its_shape():
    ((_, found),) = headers(("User-Agent", f"sync/1 (token={CANARY})"))
    assert CANARY not in found
    assert found.startswith("sync/1 (token=[scrubbed:")


def test_a_listed_value_is_cut_and_a_fingerprint_is_of_the_whole_one():
    ((_, found),) = headers(("User-Agent", "a" * 5000))
    assert len(found) == VALUE_CHARS
    assert headers(("x-other", "a" * 5000)) != headers(("x-other", "a" * 5001))


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (f"https://host/callback?code={CANARY}&state=1", "https://host/callback?"),
        (f"https://host/done#access_token={CANARY}", "https://host/done#"),
        (f"https://user:{CANARY}@host/x", "@host/x"),
        (f"/reset/{CANARY}-0123456789", "/reset/"),
        ("/v1/issues/7", "/v1/issues/7"),
        ("https://host/x?", "https://host/x"),
    ],
)
def test_an_address_is_kept_without_its_query_and_its_secrets(given, kept):
    ((_, found),) = headers(("Location", given))
    assert "cana" not in found
    assert kept in found
    assert ("[scrubbed:" in found) == ("cana" in given)


def test_an_empty_value_stays_empty_and_a_mark_stays_a_mark():
    assert headers(("X-A", ""), ("X-B", MARK)) == (("X-A", ""), ("X-B", MARK))


def test_query_values_are_scrubbed_by_name_and_shape_and_the_others_stay():
    found = scrubbed(
        query=f"page=2&api_key={CANARY}&q=ann%40example.com&sig=a%2Fb77&x=&flag".encode()
    ).query
    assert "cana" not in found
    assert "ann" not in found
    assert found.startswith("page=2&api_key=[scrubbed:")
    assert found.endswith("%40example.com&sig=" + SCRUBBER.mark(b"a/b77").decode() + "&x=&flag")


#: How a credential is sent, and the credential itself.
SENT = [
    ("X-Api-Key", CANARY, CANARY),
    ("Authorization", f"Bearer {CANARY}", CANARY),
    ("Authorization", "Basic " + base64.b64encode(f"ann:{CANARY}".encode()).decode(), CANARY),
    ("Cookie", f"theme=dark; sid={CANARY}", CANARY),
    ("X-Unheard-Of", CANARY, CANARY),
]
PAGES = [
    "<td>HTTP_X_THING</td><td>{}</td>",
    "Sorry, {} is not one of ours",
    '{{"error": "unknown key {}", "b": 2}}',
    "tried https://host/?a={}",
]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(("name", "value", "secret"), SENT)
def test_an_error_page_that_repeats_a_credential_is_stored_without_it(name, value, secret, page):
    answer = page.format(secret).encode()
    for body, sort in ((answer, "identity"), (gzip.compress(answer), "gzip")):
        found = scrubbed(
            request_headers=[(name, value)],
            response_headers=[("Content-Encoding", sort), ("X-Request-Id", f"r-{secret}")],
            response_body=body,
        )
        assert found.response_body == page.format(MARK).encode()
        assert found.response_headers[1][1] == f"r-{MARK}"


@pytest.mark.parametrize("page", PAGES)
def test_a_secret_of_the_request_body_or_query_is_not_in_the_answer_either(page):
    for sent in (
        {"query": f"token={CANARY}".encode()},
        {"request_body": json.dumps({"password": CANARY}).encode()},
    ):
        found = scrubbed(response_body=page.format(CANARY).encode(), **sent)
        assert CANARY.encode() not in found.response_body
        assert MARK.encode() in found.response_body


def test_a_new_token_of_the_answer_is_not_in_the_query_either():
    found = scrubbed(
        query=f"was={quote(CANARY + '/=')}".encode(),
        response_body=json.dumps({"access_token": CANARY + "/="}).encode(),
    )
    assert "cana" not in found.query


def test_ordinary_words_are_left_alone():
    found = scrubbed(
        request_headers=[
            ("Origin", "https://app1.example.com"), ("Sec-Fetch-Mode", "navigate"),
            ("Cookie", "theme=dark; on=true"), ("X-Shop", "my shop 1 of 20 shops"),
        ],
        request_body=b'{"token_state": "inactive"}',
        response_body=b"navigate dark true inactive https://app1.example.com my shop 1 of 20 shops",
    )  # fmt: skip
    assert b"scrubbed" not in found.response_body


def test_a_password_that_is_part_of_every_mark_is_not_looked_for():
    found = scrubbed(request_body=b'{"password": "[scrubbed", "token": "abc123defg"}')
    assert len(re.findall(rb"\[scrubbed:[0-9a-f]{8}\]", found.request_body)) == 2


def test_an_answer_full_of_secrets_displaces_none_of_the_request():
    hostile = "&".join(f"pin{n}=secret-{n:09}" for n in range(2000))
    found = scrubbed(
        request_headers=[("X-Api-Key", CANARY)],
        response_body=f"{hostile}&about={CANARY}".encode(),
    )
    assert CANARY.encode() not in found.response_body
