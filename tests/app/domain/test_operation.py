"""Operation names: templates first, then the caller's hint, then a careful guess; never many."""

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.operation import (
    MAX_LENGTH,
    MAX_OPERATIONS,
    OTHER,
    Templates,
    Vocabulary,
    guess,
)
from app.domain.words import Kind

REQUEST, WEBHOOK = Kind.REQUEST, Kind.WEBHOOK

TEMPLATES = Templates(
    [
        "GET /v1/issues",
        "GET /v1/issues/{id}",
        "GET /v1/issues/search",
        "POST /v1/issues/{id}/comments",
        "GET /v1/{kind}/search/deep",
        "GET /",
    ]
)

anything = st.text(max_size=300)
segments = st.text(alphabet=string.ascii_letters + string.digits + "-_.{}%@", max_size=40)
paths = st.builds(lambda parts: "/" + "/".join(parts), st.lists(segments, max_size=14)) | anything


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/v1/issues", "GET /v1/issues"),
        ("GET", "/v1/issues/", "GET /v1/issues"),
        ("GET", "//v1//issues", "GET /v1/issues"),
        ("GET", "/v1/issues/7", "GET /v1/issues/{id}"),
        ("GET", "/v1/issues/any-thing%20at.all", "GET /v1/issues/{id}"),
        ("GET", "/v1/issues/search", "GET /v1/issues/search"),
        ("GET", "/v1/issues/search/deep", "GET /v1/{kind}/search/deep"),
        ("POST", "/v1/issues/7/comments", "POST /v1/issues/{id}/comments"),
        ("GET", "/", "GET /"),
        ("GET", "", "GET /"),
        ("POST", "/v1/issues/7", None),
        ("GET", "/v1/issues/7/comments", None),
        ("GET", "/v2/issues", None),
        ("get", "/v1/issues", None),
    ],
)
def test_a_template_matches_its_instances_and_a_literal_wins(method, path, name):
    assert TEMPLATES.match(method, path) == name


@pytest.mark.parametrize("broken", ["/v1/no-method", "GET", "", "GET v1", "GET /" + "a" * 200])
def test_what_is_no_template_is_left_out(broken):
    assert Templates([broken, "GET /v1/a"]).names == {"GET /v1/a"}


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/v1/issues/7", "/v1/issues/{id}"),
        ("/v1.2/issues", "/v1.2/issues"),
        ("/oauth2/token", "/oauth2/token"),
        ("/s3/base64/sha256", "/s3/base64/sha256"),
        ("/users/0b9f9f9e-2f0a-4a7b-9d9b-1b2b3b4b5b6b", "/users/{id}"),
        ("/commits/deadbeefdeadbeef", "/commits/{id}"),
        ("/commits/a94a8fe5", "/commits/{id}"),
        ("/customers/cus_9s6XKzkNRiz8i3", "/customers/{id}"),
        ("/projects/PROJ-12/members/u_7", "/projects/{id}/members/{id}"),
        ("/users/ann@example.com/mail", "/users/{id}/mail"),
        ("/users/ann%40example.com", "/users/{id}"),
        ("/search/a%20b", "/search/{id}"),
        ("/orders/12345.json", "/orders/{id}.json"),
        ("/orders/export.csv", "/orders/export.csv"),
        ("/2024-01-15/report", "/{id}/report"),
        ("/files/" + "a" * 33, "/files/{id}"),
        ("/issues/{issue_id}/comments", "/issues/{issue_id}/comments"),
        ("/issues/{not a name}", "/issues/{id}"),
        ("/café", "/{id}"),
        ("/٣", "/{id}"),
        ("/a/b/c/d/e/f/g/h/i/j", "/a/b/c/d/e/f/g/h/*"),
        ("", "/"),
        ("*", "/*"),
    ],
)
def test_segments_that_carry_data_become_an_id(path, template):
    assert guess("GET", path) == f"GET {template}"


@given(method=anything, path=paths)
def test_a_guess_from_a_guess_is_the_same_and_never_long(method, path):
    name = guess(method, path)
    verb, _, template = name.partition(" ")
    assert guess(verb, template) == name
    assert len(name) <= MAX_LENGTH
    assert re.fullmatch(r"[A-Z]+ /[A-Za-z0-9_.~*:+,={}/-]*", name)


@given(st.lists(st.uuids() | st.integers(min_value=0), min_size=1, max_size=60))
def test_paths_that_differ_in_their_ids_have_one_name(ids):
    assert {guess("GET", f"/v1/issues/{each}/comments") for each in ids} == {
        "GET /v1/issues/{id}/comments"
    }


@pytest.mark.parametrize(
    ("hint", "name"),
    [
        ("GET /v1/boards/{board}", "GET /v1/boards/{board}"),
        ("/v1/boards/{board}", "PUT /v1/boards/{board}"),
        ("get /v1/boards", "GET /v1/boards"),
        ("/v1/boards/981273", "PUT /v1/boards/{id}"),  # a raw path sent by mistake
        ("no template", "PUT /x/y"),
        ("/with blank/", "PUT /x/y"),
        ("/" + "a/" * 200, "PUT /x/y"),
        ("", "PUT /x/y"),
    ],
)
def test_a_hint_names_what_no_template_does(hint, name):
    assert TEMPLATES.propose(REQUEST, "PUT", "/x/y", hint, "") == name


def test_a_template_is_believed_before_a_hint():
    assert TEMPLATES.propose(REQUEST, "GET", "/v1/issues/7", "/else", "") == "GET /v1/issues/{id}"


@pytest.mark.parametrize(
    ("topic", "name"),
    [
        ("orders.created", "webhook orders.created"),
        ("issue/closed:v2", "webhook issue/closed:v2"),
        ("", "webhook other"),
        ("a b", "webhook other"),
        ("a" * 81, "webhook other"),
    ],
)
def test_a_webhook_is_named_after_its_topic(topic, name):
    assert TEMPLATES.propose(WEBHOOK, "POST", "/-/webhooks/x", "/hint", topic) == name


def settle(vocabulary: Vocabulary, word: str) -> str:
    return vocabulary.settle(REQUEST, "GET", f"/{word}", "", "")


def words(count: int) -> list[str]:
    letters = string.ascii_lowercase
    return [f"{a}{b}{c}" for a in letters for b in letters for c in "xyz"][:count]


def test_an_integration_has_at_most_so_many_names_and_the_rest_is_other():
    vocabulary = Vocabulary()
    names = [settle(vocabulary, word) for word in words(MAX_OPERATIONS + 50)]
    assert names[-50:] == [OTHER] * 50
    assert len(set(names) - {OTHER}) == MAX_OPERATIONS
    assert settle(vocabulary, words(1)[0]) == f"GET /{words(1)[0]}"


def test_templates_have_their_places_however_many_names_came_before():
    full = Vocabulary((), [f"GET /{word}" for word in words(MAX_OPERATIONS)])
    vocabulary = Vocabulary(["GET /v1/issues/{id}"], full.names)
    assert vocabulary.settle(REQUEST, "GET", "/v1/issues/7", "", "") == "GET /v1/issues/{id}"
    assert settle(vocabulary, "new") == OTHER


def test_a_vocabulary_goes_on_where_the_one_before_it_stood():
    before = Vocabulary()
    for word in words(MAX_OPERATIONS + 10):
        settle(before, word)
    after = Vocabulary((), before.names)
    assert [settle(after, word) for word in words(5)] == [f"GET /{word}" for word in words(5)]
    assert settle(after, "new") == OTHER


@given(
    kind=st.sampled_from([REQUEST, WEBHOOK]), method=anything, path=paths, hint=anything,
    topic=anything,
)  # fmt: skip
def test_whatever_comes_a_name_is_found_and_is_short(kind, method, path, hint, topic):
    assert len(Vocabulary(TEMPLATES.names).settle(kind, method, path, hint, topic)) <= MAX_LENGTH


def test_a_path_that_fits_every_branch_but_the_last_ends():
    deep = Templates([f"GET /{'/'.join(bits)}/end" for bits in _branches(7)])
    assert deep.match("GET", "/a" * 7 + "/miss") is None


def _branches(depth: int) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = [()]
    for _ in range(depth):
        found = [(*bits, bit) for bits in found for bit in ("a", "{x}")]
    return found
