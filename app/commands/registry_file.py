"""Reading a registry file: whole, judged whole, every problem with its line.

`read` returns values that satisfy every constraint of the tables, or raises `RegistryFileError`
whose problems read `registry.yaml:12: what is wrong and what to write`. It writes nothing.
"""

from pathlib import Path
from typing import Any

from app.commands import registry_checks as check
from app.commands.registry_fields import Fields, Problems
from app.commands.registry_funnel import funnel
from app.commands.registry_values import (
    LIST_EVERY_US,
    IntegrationEntry,
    ObjectiveEntry,
    PartnerEntry,
    RampEntry,
    RegistryFile,
)
from app.commands.yaml_tree import Node, YamlProblem, read_tree
from app.domain.operation import MAX_OPERATIONS, shape
from app.domain.route import Breaker, CapturePolicy, Limits, Timeouts, TlsFiles
from app.domain.window import DAY_US, SECOND_US
from app.errors import RegistryFileError
from app.models import Visibility

MAX_FILE_BYTES = 16 * 1024 * 1024
MAX_SHOWN = 50
_MILLISECONDS = check.whole(1, 3_600_000)
_TIMEOUTS = ("connect_ms", "first_byte_ms", "idle_ms", "total_ms")
_LIMITS = ("requests_per_second", "burst", "concurrency", "body_bytes", "queue", "queue_ms")
_RAMP = ("from", "to", "over", "since")
_BREAKER = ("error_ratio", "minimum", "window", "open", "probes")
_LIST_EVERY = check.seconds(300, 31 * 86_400)
_TLS = ("ca_file", "client_cert_file", "client_key_file")
_INTEGRATION = (
    "slug", "name", "visibility", "category", "api_base_url", "webhook_url",
    "inbound_token_sha256", "allow_private_addresses", "timeouts", "limits", "operations",
    "deprecated", "objectives", "funnel", "funnel_deadlines", "infer", "ramp", "breaker",
    "paused", "capture", "tls", "installations_url", "installations_token_file",
    "installations_every",
)  # fmt: skip


def read(path: Path) -> RegistryFile:
    """The registry that the file at `path` describes; `RegistryFileError` naming every problem."""
    return parse(_content(path), path.name)


def parse(content: bytes, name: str) -> RegistryFile:
    """The registry that `content` describes; `name` stands before each line number."""
    problems = Problems()
    found = None
    try:
        tree = read_tree(_decode(content))
        if tree is None:
            raise YamlProblem(1, "the file is empty; an empty registry is 'partners: []'")
        found = _registry(tree, problems)
    except YamlProblem as problem:
        problems.add(problem.line, problem.message)
    _refuse(problems, name)
    assert found is not None
    return found


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise RegistryFileError(f"cannot read {path}: {error.strerror}") from error
    if len(content) > MAX_FILE_BYTES:
        raise RegistryFileError(f"{path} is longer than {MAX_FILE_BYTES:,} bytes")
    return content


def _decode(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = content[error.start]
        raise YamlProblem(line, f"not UTF-8 (byte 0x{byte:02x}): save it as UTF-8") from None


def _refuse(problems: Problems, name: str) -> None:
    found = [f"{name}:{line}: {message}" for line, message in problems.sorted()]
    if not found:
        return
    count = "1 problem" if len(found) == 1 else f"{len(found)} problems"
    if len(found) > MAX_SHOWN:
        found = [*found[:MAX_SHOWN], f"{name}: and {len(found) - MAX_SHOWN} more"]
    raise RegistryFileError(f"{name} was not imported: {count}", tuple(found))


def _registry(tree: Node, problems: Problems) -> RegistryFile:
    top = Fields(tree, "the file", ("platform", "partners"), problems)
    top.require("platform", "partners")
    platform = top.inner("platform", ("name", "api_base_url"))
    name = platform.needed("name", check.name, "") if top.has("platform") else ""
    url = platform.value("api_base_url", check.base_url, None)
    partners = [_partner(node, problems) for node in top.nodes("partners")]
    return RegistryFile(name, url, tuple(sorted(partners, key=lambda partner: partner.slug)))


def _partner(node: Node, problems: Problems) -> PartnerEntry:
    known = ("slug", "name", "contacts", "integrations")
    fields = Fields(node, "partner", known, problems, title="slug")
    slug = _slug(fields, "partner", problems)
    integrations = [_integration(entry, problems) for entry in fields.nodes("integrations")]
    return PartnerEntry(
        slug=slug,
        name=fields.needed("name", check.name, ""),
        contacts=fields.texts("contacts", check.mail, 50),
        integrations=tuple(sorted(integrations, key=lambda integration: integration.slug)),
    )


def _integration(node: Node, problems: Problems) -> IntegrationEntry:
    fields = Fields(node, "integration", _INTEGRATION, problems, title="slug")
    steps, deadlines, infer = funnel(fields, problems)
    return IntegrationEntry(
        slug=_slug(fields, "integration", problems),
        name=fields.needed("name", check.name, ""),
        visibility=fields.value("visibility", check.visibility, Visibility.PUBLIC),
        category=fields.value("category", check.category, None),
        api_base_url=fields.value("api_base_url", check.base_url, None),
        webhook_url=fields.value("webhook_url", check.web_url, None),
        inbound_token_sha256=_tokens(fields, problems),
        allow_private_addresses=fields.value("allow_private_addresses", check.flag, False),
        timeouts=_timeouts(fields.inner("timeouts", _TIMEOUTS)),
        limits=_limits(fields.inner("limits", _LIMITS)),
        operations=_operations(fields, problems),
        deprecated=fields.texts("deprecated", check.operation, MAX_OPERATIONS),
        objectives=_objectives(fields, problems),
        funnel=steps,
        funnel_deadlines=deadlines,
        infer=infer,
        ramp=_ramp(fields.inner("ramp", _RAMP), problems) if fields.has("ramp") else None,
        breaker=_breaker(fields),
        paused=fields.value("paused", check.flag, False),
        capture=fields.value("capture", check.capture_policy, CapturePolicy.SAMPLE),
        tls=_tls(fields.inner("tls", _TLS), problems),
        **_own_list(fields, problems),
    )


def _slug(fields: Fields, kind: str, problems: Problems) -> str:
    slug = fields.needed("slug", check.slug, "")
    if slug:
        problems.claim(f"{kind} slug", slug, fields.line_of("slug"))
    return slug


def _tokens(fields: Fields, problems: Problems) -> tuple[str, ...]:
    tokens = fields.lined("inbound_token_sha256", check.sha256, 20)
    for token, line in tokens.items():
        problems.claim("inbound token", token, line)
    return tuple(sorted(tokens))


def _timeouts(fields: Fields) -> Timeouts:
    default = Timeouts()
    return Timeouts(
        *(fields.value(name, _MILLISECONDS, getattr(default, name)) for name in _TIMEOUTS)
    )


def _limits(fields: Fields) -> Limits:
    return Limits(
        requests_per_second=fields.value("requests_per_second", check.number(0, 1e6), None),
        burst=fields.value("burst", check.whole(1, 1_000_000), None),
        concurrency=fields.value("concurrency", check.whole(1, 100_000), None),
        body_bytes=fields.value("body_bytes", check.whole(1, 2**40), Limits().body_bytes),
        queue=fields.value("queue", check.whole(0, 10_000), Limits().queue),
        queue_ms=fields.value("queue_ms", check.whole(1, 60_000), Limits().queue_ms),
    )


def _ramp(fields: Fields, problems: Problems) -> RampEntry:
    rate = check.number(0, 1e6)
    ramp = RampEntry(
        from_rate=fields.needed("from", rate, 1.0),
        to_rate=fields.needed("to", rate, 1e6),
        over_us=fields.needed("over", check.seconds(1, 366 * 86_400), SECOND_US),
        since_us=fields.value("since", check.moment, None),
    )
    if ramp.from_rate >= ramp.to_rate:
        problems.add(fields.line_of("to"), "'to' must be more than 'from': a ramp goes up")
    return ramp


def _breaker(fields: Fields) -> Breaker | None:
    if fields.says("breaker", "off"):
        return None
    inner, default = fields.inner("breaker", _BREAKER), Breaker()
    return Breaker(
        error_ratio=inner.value("error_ratio", check.ratio, default.error_ratio),
        minimum=inner.value("minimum", check.whole(1, 1_000_000), default.minimum),
        window_us=inner.value("window", check.seconds(1, 3_600), default.window_us),
        open_us=inner.value("open", check.seconds(1, 3_600), default.open_us),
        probes=inner.value("probes", check.whole(1, 100), default.probes),
    )


def _tls(fields: Fields, problems: Problems) -> TlsFiles:
    files = TlsFiles(*(fields.value(name, check.file_path, None) for name in _TLS))
    if files.client_key_file and not fields.has("client_cert_file"):
        line = fields.line_of("client_key_file")
        problems.add(line, "'client_key_file' is for a 'client_cert_file', and there is none")
    return files


def _own_list(fields: Fields, problems: Problems) -> dict[str, Any]:
    """Where the partner's own list of installations is pulled from."""
    for key in ("installations_token_file", "installations_every"):
        if fields.has(key) and not fields.has("installations_url"):
            said = f"{key!r} is for an 'installations_url', and there is none"
            problems.add(fields.line_of(key), said)
    return {
        "installations_url": fields.value("installations_url", check.web_url, None),
        "installations_token_file": fields.value("installations_token_file", check.file_path, None),
        "installations_every_us": fields.value("installations_every", _LIST_EVERY, LIST_EVERY_US),
    }


def _operations(fields: Fields, problems: Problems) -> tuple[str, ...]:
    operations = fields.lined("operations", check.operation, MAX_OPERATIONS)
    shapes: dict[str, str] = {}
    for operation, line in operations.items():
        first = shapes.setdefault(shape(operation), operation)
        if first != operation:
            problems.add(line, f"{operation!r} matches the same requests as {first!r}")
    return tuple(operations)


def _objectives(fields: Fields, problems: Problems) -> tuple[ObjectiveEntry, ...]:
    known = ("name", "target", "threshold_ms", "window")
    entries = []
    lines: dict[str, int] = {}
    for node in fields.nodes("objectives"):
        entry = _objective(Fields(node, "objective", known, problems, title="name"))
        if entry.name in lines:
            first = lines[entry.name]
            problems.add(node.line, f"objective {entry.name!r} is there already, on line {first}")
        if entry.name:
            lines[entry.name] = node.line
        entries.append(entry)
    return tuple(entries)


def _objective(fields: Fields) -> ObjectiveEntry:
    return ObjectiveEntry(
        name=fields.needed("name", check.word, ""),
        target=fields.needed("target", check.number(0, 1), 0.5),
        window_us=fields.needed("window", check.window, DAY_US),
        threshold_ms=fields.value("threshold_ms", _MILLISECONDS, None),
    )
