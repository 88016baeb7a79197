"""Reading a registry file: what passes, and what every problem says about its line."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.commands import registry_file, yaml_tree
from app.commands.registry_export import render
from app.commands.registry_values import RampEntry, RegistryFile
from app.domain.route import Breaker, CapturePolicy, Limits, Timeouts, TlsFiles
from app.domain.window import DAY_US, MINUTE_US, SECOND_US
from app.errors import RegistryFileError
from app.models import Visibility
from tests.app.commands.registry_strategies import registry_files

HEAD = """\
platform: {name: Acme}
partners:
  - slug: globex
    name: Globex
"""  # four lines; what a test adds begins on line 5
INTEGRATION = HEAD + "    integrations:\n      - slug: issues\n        name: Issues\n"  # 7 lines
SHA = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def problems(text: str | bytes) -> tuple[str, ...]:
    content = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(RegistryFileError) as caught:
        registry_file.parse(content, "r.yaml")
    return caught.value.problems


def test_the_smallest_integration_has_the_defaults() -> None:
    entry = registry_file.parse(INTEGRATION.encode(), "r.yaml").partners[0].integrations[0]
    assert (entry.slug, entry.name, entry.visibility) == ("issues", "Issues", Visibility.PUBLIC)
    assert (entry.api_base_url, entry.allow_private_addresses) == (None, False)
    assert (entry.timeouts, entry.limits) == (Timeouts(), Limits())
    assert (entry.ramp, entry.breaker, entry.paused) == (None, Breaker(), False)
    assert (entry.capture, entry.tls) == (CapturePolicy.SAMPLE, TlsFiles())


def test_a_full_integration_is_read_field_by_field() -> None:
    text = (
        INTEGRATION
        + f"""\
        visibility: internal
        category: Project management
        api_base_url: https://api.globex.example/v2/
        webhook_url: https://hooks.globex.example/acme/
        inbound_token_sha256: [{SHA.upper()}]
        allow_private_addresses: true
        timeouts: {{connect_ms: 5}}
        limits: {{requests_per_second: 2.5, burst: 3, concurrency: 4, body_bytes: 5,
                 queue: 0, queue_ms: 6}}
        operations: ["GET /v1/issues/{{id}}", "POST /v1/files/{{name}}.json"]
        deprecated: ["GET /v1/old"]
        objectives:
          - {{name: latency, target: 0.95, threshold_ms: 800, window: 4w}}
        funnel: [started, activated]
        ramp: {{from: 5, to: 200, over: 30m, since: "2026-11-27T10:30:00+01:00"}}
        breaker: {{error_ratio: 1, minimum: 5, window: 10s, open: 1m, probes: 1}}
        paused: true
        capture: failures
        tls: {{ca_file: /etc/ca.pem, client_cert_file: /etc/c.pem, client_key_file: /etc/k.pem}}
        installations_url: https://api.globex.example/acme/installations
        installations_token_file: /etc/midspan/globex.token
        installations_every: 30m
"""
    )
    entry = registry_file.parse(text.encode(), "r.yaml").partners[0].integrations[0]
    assert entry.visibility is Visibility.INTERNAL
    assert entry.category == "Project management"
    assert entry.api_base_url == "https://api.globex.example/v2"
    assert entry.webhook_url == "https://hooks.globex.example/acme/"
    assert entry.inbound_token_sha256 == (SHA,)
    assert entry.allow_private_addresses is True
    assert entry.timeouts == Timeouts(connect_ms=5)
    assert entry.limits == Limits(2.5, 3, 4, 5, 0, 6)
    assert entry.operations == ("GET /v1/issues/{id}", "POST /v1/files/{name}.json")
    assert entry.deprecated == ("GET /v1/old",)
    assert entry.objectives[0].window_us == 28 * DAY_US
    assert entry.funnel == ("started", "activated")
    assert entry.ramp == RampEntry(5, 200, 30 * MINUTE_US, 1_795_771_800 * SECOND_US)
    assert entry.breaker == Breaker(1, 5, 10 * SECOND_US, MINUTE_US, 1)
    assert (entry.paused, entry.capture) == (True, CapturePolicy.FAILURES)
    assert entry.tls == TlsFiles("/etc/ca.pem", "/etc/c.pem", "/etc/k.pem")
    assert entry.installations_url == "https://api.globex.example/acme/installations"
    assert entry.installations_token_file == "/etc/midspan/globex.token"
    assert entry.installations_every_us == 30 * MINUTE_US


@pytest.mark.parametrize(
    ("written", "breaker"),
    [
        ("off", None),
        ("'off'", None),
        ("{}", Breaker()),
        ("", Breaker()),
        ("{probes: 9}", Breaker(probes=9)),
    ],
)
def test_a_breaker_is_there_unless_it_is_switched_off(
    written: str, breaker: Breaker | None
) -> None:
    text = f"{INTEGRATION}        breaker: {written}\n"
    assert registry_file.parse(text.encode(), "r").partners[0].integrations[0].breaker == breaker


BAD_FIELDS = [
    ("visibilty: public", "integration 'issues' has no 'visibilty': did you mean 'visibility'?"),
    ("colour: red", "integration 'issues' has no 'colour'; it may have allow_private"),
    ("visibility: secret", "'visibility': 'secret' is not one of public, unlisted, internal"),
    ("visibility: [public]", "'visibility' must be a single value, not a list"),
    ("name: again", "'name' is there already, on line 7"),
    ("api_base_url: ftp://x.example", "must begin with http:// or https://"),
    ("api_base_url: x.example", "must begin with http:// or https://"),
    ("api_base_url: https://", "must begin with http:// or https:// and a host"),
    ("api_base_url: https://a:b@x.example", "must not carry a user name or password"),
    ("api_base_url: https://x.example/?a=b", "must not have a query"),
    ("api_base_url: https://x.example/#a", "must not have a query (?) or a fragment (#)"),
    ("api_base_url: https://x.example:99999", "is not an address: Port out of range"),
    ("api_base_url: https://x.example:0", "is not a host with or without :port"),
    ("api_base_url: https://x_%/", "is not a host"),
    ("api_base_url: https://[::1", "is not an address"),
    ("api_base_url: https://x.example/../y", "is not a plain path"),
    ("api_base_url: https://x.example/\u00e9", "ASCII"),
    ("api_base_url: 'https://x.example/ a'", "no spaces"),
    ("webhook_url: javascript:alert(1)", "must begin with http:// or https://"),
    ("inbound_token_sha256: [abc]", "64 hex digits"),
    ("inbound_token_sha256: abc", "must be a list, not 'abc'"),
    (f"inbound_token_sha256: [{SHA}, {SHA.upper()}]", "already, on line 8"),
    ("allow_private_addresses: yes", "'yes' is neither true nor false"),
    ("timeouts: 5", "'timeouts' must be keys with values, not '5'"),
    ("timeouts: {connect_ms: 0}", "'0' is not a whole number from 1 to 3,600,000"),
    ("timeouts: {connect_ms: 1.5}", "'1.5' is not a whole number"),
    ("timeouts: {total_ms: 3600001}", "is not a whole number from 1 to 3,600,000"),
    ("timeouts: {connect: 5}", "'timeouts' has no 'connect': did you mean 'connect_ms'?"),
    ("limits: {requests_per_second: -1}", "'-1' is not a number between 0 and 1,000,000"),
    ("limits: {requests_per_second: .nan}", "'.nan' is not a number"),
    ("limits: {burst: many}", "'many' is not a whole number"),
    ("limits: {queue: -1}", "'-1' is not a whole number from 0 to 10,000"),
    ("limits: {queue_ms: 0}", "'0' is not a whole number from 1 to 60,000"),
    ("ramp: {from: 5, to: 200}", "'ramp' lacks 'over'"),
    ("ramp: {from: 5, to: 5, over: 1h}", "'to' must be more than 'from'"),
    ("ramp: {from: 0, to: 5, over: 1h}", "'0' is not a number between 0 and 1,000,000"),
    ("ramp: {from: 1, to: 5, over: 0s}", "bad duration '0s'"),
    ("ramp: {from: 1, to: 5, over: 1h, since: 2026-11-27}", "is not a time from 1970 on such as"),
    ("ramp: {from: 1, to: 5, over: 1h, since: '2026-11-27T09:30:00'}", "is not a time from 1970"),
    ("ramp: {from: 1, to: 5, over: 1h, since: '2026-13-27T09:30:00Z'}", "is not a time from 1970"),
    ("ramp: {from: 1, to: 5, over: 1h, since: '1969-12-31T23:59:59Z'}", "is not a time from 1970"),
    ("ramp: fast", "'ramp' must be keys with values, not 'fast'"),
    ("breaker: no", "'breaker' must be keys with values, not 'no'"),
    ("breaker: {error_ratio: 1.1}", "'1.1' is not a number between 0 and 1"),
    ("breaker: {error_ratio: 50%}", "'50%' is not a number between 0 and 1"),
    ("breaker: {minimum: 0}", "'0' is not a whole number from 1 to 1,000,000"),
    ("breaker: {window: 2h}", "'2h' is not between 1 and 3,600 seconds"),
    ("breaker: {opens: 5s}", "'breaker' has no 'opens': did you mean 'open'?"),
    ("paused: off", "'off' is neither true nor false"),
    ("capture: all", "'all' is not one of sample, failures, none"),
    ("tls: {ca_file: ca.pem}", "'ca.pem' is not the whole path of a file"),
    ("tls: {client_key_file: /k.pem}", "there is none"),
    ("installations_url: 'http://u:p@h/'", "must not carry a user name"),
    ("installations_token_file: /t", "is for an 'installations_url', and there is none"),
    ("installations_every: 1h", "is for an 'installations_url', and there is none"),
    ("deprecated: [old]", "is not an operation such as"),
    ("operations: [GET]", "is not an operation such as"),
    ("operations: [get /v1]", "is not an operation such as"),
    ("operations: [TRACE /v1]", "is not an operation such as"),
    ("operations: ['GET /v1/{id']", "'{id' in 'GET /v1/{id' is neither"),
    ("operations: ['GET /v1//x']", "'' in 'GET /v1//x' is neither"),
    ("operations: ['GET /v1?x=1']", "neither a plain word"),
    ("operations: ['GET /a', 'GET /a']", "already, on line 8"),
    ("operations: ['GET /{a}/x', 'GET /{b}/x/']", "matches the same requests as 'GET /{a}/x'"),
    (f"operations: ['GET /{'x' * 200}']", "longer than 160 characters"),
    ("objectives: [{name: a, target: 1, window: 1d}]", "not a number between 0 and 1"),
    ("objectives: [{name: a, target: 0.9}]", "objective 'a' lacks 'window'"),
    ("objectives: [{name: a, target: 0.9, window: 1y}]", "bad duration '1y'"),
    ("objectives: [{name: a, target: 0.9, window: 1m}]", "not between 1h and 366d"),
    ("objectives: [{name: a b, target: 0.9, window: 1d}]", "'a b' must begin with a-z"),
    ("objectives: [{name: a, target: .9, window: 1d}, {name: a, target: .8, window: 1d}]",
     "objective 'a' is there already, on line 8"),
    ("objectives: [5]", "objective must be keys with values, not '5'"),
    ("funnel: [started, started]", "'started' already, on line 8"),
    ("funnel: [uninstalled]", "is a step of every funnel"),
    ("funnel: [Started]", "must begin with a-z"),
    ("funnel_deadlines: {verfied: 2h}", "has no 'verfied': did you mean 'verified'?"),
    ("funnel_deadlines: {verified: 5s}", "is not between 60 and"),
    ("infer: [{when: {topic: x}}]", "lacks 'step'"),
    ("infer: [{step: verified}]", "lacks 'when'"),
    ("infer: [{when: {topic: x}, step: verfied}]", "did you mean 'verified'?"),
    ("infer: [{when: {status: 2xx}, step: verified}]", "must name an 'operation' or a 'topic'"),
    ("infer: [{when: {topic: x, status: 20x}, step: verified}]", "neither an HTTP status"),
    ("infer: [{when: {topic: x, direction: up}, step: verified}]", "one of outbound, inbound"),
    ("infer: [{when: {operation: oauth}, step: verified}]", "is not an operation such as"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "said"), BAD_FIELDS, ids=[field for field, _ in BAD_FIELDS])
def test_a_bad_field_of_an_integration_is_named_with_its_line(field: str, said: str) -> None:
    (problem,) = problems(f"{INTEGRATION}        {field}\n")
    assert problem.startswith("r.yaml:8: ")
    assert said in problem


BAD_FILES = [
    ("", 1, "the file is empty"),
    ("# nothing\n", 1, "the file is empty"),
    ("[]", 1, "the file must be keys with values, not a list"),
    ("partners: []", 1, "the file lacks 'platform'"),
    ("platform: {name: A}", 1, "the file lacks 'partners'"),
    ("platform: {}\npartners: []", 1, "'platform' lacks 'name'"),
    ("platform: {name: A}\npartners: {}\n", 2, "'partners' must be a list, not keys with values"),
    ("platform: {name: A}\npartners: []\nparters: []\n", 3, "did you mean 'partners'?"),
    ("platform: {name: ''}\npartners: []", 1, "must have 1 to 200 characters"),
    ('platform: {name: "a\\nb"}\npartners: []', 1, "one line without control characters"),
    ("platform:\n\tname: A\npartners: []", 2, "indented with a tab: use spaces"),
    ("platform: {name: A\npartners: []\n", 2, "not YAML: "),
    ("platform: {name: A}\npartners: []\n---\na: 1\n", 3, "a second document"),
    ("platform: !!python/object:os.system {name: A}\npartners: []", 1, "is not read"),
    ("platform: {name: *x}\npartners: []", 1, "nothing is anchored as &x above"),
    ("a: &a [*a]", 1, "*a contains itself"),
    ("platform:\n  name: \x07\npartners: []", 2, "the character U+0007 is not allowed"),
    ("[" * 100_000, 1, "nested more than 20 deep"),
    (HEAD + "    contacts: [nobody]", 5, "'nobody' is not a mail address"),
    (HEAD + "    contacts: ['a@b.example, c@d.example']", 5, "is not a mail address"),
    (HEAD + "    contacts: [a@b.example, a@b.example]", 5, "already, on line 5"),
    (HEAD + "    contacts: a@b.example", 5, "must be a list"),
    (HEAD + "  - {name: X}", 5, "partner lacks 'slug'"),
    (HEAD + "  - {slug: x}", 5, "partner 'x' lacks 'name'"),
    (HEAD + "  - {slug: globex, name: X}", 5, "partner slug 'globex' is there already, on line 3"),
    (HEAD + "  - {slug: Globex, name: X}", 5, "'Globex' is not a slug"),
    (HEAD + "  - {slug: '-', name: X}", 5, "'-' is not a slug"),
    (HEAD + "  - {slug: a-, name: X}", 5, "'a-' is not a slug"),
    (HEAD + "  - {slug: unattributed, name: X}", 5, "'unattributed' is reserved"),
    (HEAD + f"  - {{slug: {'a' * 64}, name: X}}", 5, "is not a slug"),
    (HEAD + "  - x", 5, "partner must be keys with values, not 'x'"),
    (INTEGRATION + "      - {slug: issues, name: X}", 8,
     "integration slug 'issues' is there already, on line 6"),
    (INTEGRATION + "  - slug: other\n    name: O\n    integrations: [{slug: issues, name: I}]", 10,
     "integration slug 'issues' is there already, on line 6"),
    (INTEGRATION + f"        inbound_token_sha256: [{SHA}]\n      - slug: two\n        name: Two\n"
     f"        inbound_token_sha256: [{SHA}]\n", 11, "is there already, on line 8"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "said"), BAD_FILES, ids=range(len(BAD_FILES)))
def test_a_bad_file_is_described_with_its_line(text: str, line: int, said: str) -> None:
    (problem,) = problems(text)
    assert problem.startswith(f"r.yaml:{line}: ")
    assert said in problem


def test_all_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    found = problems(
        INTEGRATION + "        visibility: x\n        webhook_url: y\n  - {slug: globex, name: Z}\n"
    )
    assert [problem.split(":")[1] for problem in found] == ["8", "9", "10"]


def test_only_the_first_fifty_problems_are_shown_and_the_rest_counted() -> None:
    found = problems("platform: {name: A}\npartners:\n" + "  - {name: X}\n" * 80)
    assert len(found) == 51
    assert found[-1] == "r.yaml: and 30 more"


def test_what_is_not_utf_8_is_named_with_its_line() -> None:
    (problem,) = problems(b"platform:\n  name: caf\xe9\n")
    assert problem == "r.yaml:2: not UTF-8 (byte 0xe9): save it as UTF-8"


def test_a_byte_order_mark_is_taken_for_what_it_is() -> None:
    assert registry_file.parse(b"\xef\xbb\xbf" + HEAD.encode(), "r").platform_name == "Acme"


def test_an_anchor_may_stand_for_what_many_share() -> None:
    text = (
        INTEGRATION + "        timeouts: &t {connect_ms: 7}\n"
        "      - {slug: two, name: Two, timeouts: *t}\n"
    )
    partner = registry_file.parse(text.encode(), "r.yaml").partners[0]
    assert [entry.timeouts.connect_ms for entry in partner.integrations] == [7, 7]


def test_aliases_that_multiply_are_stopped_at_a_bound() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    (problem,) = problems("\n".join(lines))
    assert f"more than {yaml_tree.MAX_NODES:,} values" in problem


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "No such file or directory"),
        (lambda path: path.mkdir(), "Is a directory"),
        (lambda path: path.write_bytes(b"#" * (registry_file.MAX_FILE_BYTES + 1)), "longer than"),
    ],
    ids=["missing", "folder", "huge"],
)
def test_a_file_that_cannot_be_read_is_one_line(make, said: str, tmp_path: Path) -> None:
    path = tmp_path / "registry.yaml"
    make(path)
    with pytest.raises(RegistryFileError) as caught:
        registry_file.read(path)
    assert str(path) in str(caught.value)
    assert said in str(caught.value)
    assert caught.value.problems == ()


@given(registry_files())
@settings(max_examples=60, deadline=None)
def test_what_is_rendered_reads_as_the_same_registry(file: RegistryFile) -> None:
    assert registry_file.parse(render(file).encode(), "r.yaml") == file


@given(st.text(max_size=60) | st.text("a:-[]{}&*!'\"\n |>#", max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_or_refused_with_lines(text: str) -> None:
    try:
        registry_file.parse(text.encode("utf-8", "surrogatepass"), "r.yaml")
        found: tuple[str, ...] = ("r.yaml: read",)
    except RegistryFileError as error:
        found = error.problems
    assert found
    assert all(problem.startswith("r.yaml:") for problem in found)
