import json
import re
import subprocess
import time

import pytest
from dash_builders import make_exchange
from hypothesis import given, settings
from hypothesis import strategies as st

from app.queries.results import CaptureView
from dashboards.curl import curl, quoted
from dashboards.pretty import media_type, pretty

JSON = [("Content-Type", "application/json; charset=utf-8")]
XML = [("content-type", "text/xml")]
FORM = [("content-type", "application/x-www-form-urlencoded")]

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=20,
)  # fmt: skip


@given(values)
def test_json_is_set_out_as_python_would(value):
    assert pretty(json.dumps(value), JSON) == json.dumps(value, indent=2)


@given(values, st.integers(0, 200))
def test_cut_json_keeps_every_letter(value, end):
    text = json.dumps(value)[:end]
    assert re.sub(r"\s", "", pretty(text, JSON)) == re.sub(r"\s", "", text)


@pytest.mark.parametrize(
    ("text", "headers", "shown"),
    [
        ('{"a":[],"b":{}}', [], '{\n  "a": [],\n  "b": {}\n}'),
        ("a=1&b=x+y%21&c", FORM, "a = 1\nb = x y!\nc = "),
        ("<a><b x='1'/>text</a>", XML, "<a>\n  <b x='1'/>\n  text\n</a>"),
        ("<?xml?><!-- c --><a>", XML, "<?xml?>\n<!-- c -->\n<a>"),
        ("plain {text}", [("content-type", "text/plain")], "plain {text}"),
        ("", JSON, ""),
    ],
)
def test_a_body_is_set_out_by_its_type(text, headers, shown):
    assert pretty(text, headers) == shown


@pytest.mark.parametrize("text", ["[" * 8192, "{" * 8192, '"' * 8192, "<a>" * 2700, "&" * 8192])
@pytest.mark.parametrize("headers", [JSON, XML, FORM])
def test_nothing_is_too_deep(text, headers):
    begun = time.perf_counter()
    assert len(pretty(text, headers)) < 40 * len(text)
    assert time.perf_counter() - begun < 1


def test_a_message_without_a_type_has_none():
    assert media_type([]) == ""
    assert media_type(JSON) == "application/json"


def capture(headers=(), body="", *, cut=False, query="") -> CaptureView:
    return CaptureView(query, tuple(headers), body, cut, (), "", False)


def command(**more) -> str:
    return curl(make_exchange(**more), "127.0.0.1:8080", "127.0.0.1:8081")


def words_of(text: str, **environment: str) -> list[str]:
    """What a real shell makes of a command."""
    script = text.replace("curl ", "printf '%s\\0' ", 1)
    done = subprocess.run(["bash", "-c", script], capture_output=True, env=environment, check=True)
    return done.stdout.decode().split("\0")[:-1]


def test_a_call_goes_through_the_proxy_again():
    said = capture(
        [("Content-Type", "application/json"), ("Host", "x"), ("X-Key", "[scrubbed:0a1b2c3d]")],
        '{"name": "it\'s", "token": "[scrubbed:0a1b2c3d]"}',
        query="page=2&key=[scrubbed:0a1b2c3d]",
    )
    found = command(captured=True, capture=said)
    assert words_of(found, SECRET_X_KEY="k e y", SECRET="s", SECRET_QUERY="q") == [
        "-i", "-X", "POST", "http://127.0.0.1:8080/globex-issues/v1/issues?page=2&key=q",
        "-H", "Content-Type: application/json", "-H", "X-Key: k e y",
        "--data-raw", '{"name": "it\'s", "token": "s"}',
    ]  # fmt: skip
    assert "scrubbed" not in found


def test_a_webhook_and_a_call_to_the_platform_have_their_own_addresses():
    assert "/globex-issues/-/webhooks/issue.created" in command(topic="issue.created")
    inbound = command(direction="inbound")
    assert "http://127.0.0.1:8081/v1/issues" in inbound
    assert '"Authorization: Bearer $TOKEN"' in inbound
    assert "only its start" in command(capture=capture(body="x", cut=True))


NASTY = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)


@settings(max_examples=30, deadline=None)
@given(st.lists(NASTY, min_size=1, max_size=5))
def test_a_shell_takes_every_text_as_it_is(texts):
    assert words_of("curl " + " ".join(map(quoted, texts))) == texts
    assert "".join(map(quoted, texts)).isprintable()


@pytest.mark.parametrize(
    "text", ["'; touch /tmp/owned; '", "$(id)", "`id`", "\x1b[201~\nrm -rf /\n", "\u202e", "\r\n"]
)
def test_pasting_runs_nothing_but_curl(text):
    found = command(method=text, path=f"/{text}", topic=None, capture=capture([("a", text)], text))
    assert all(line.isprintable() for line in found.split("\n"))
    words = words_of(found)
    assert words[2] == text
    assert words[-1] == text
