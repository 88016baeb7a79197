"""Rule files: `<home>/rules/*.yaml` into rules, every problem with its line.

A file is taken rule by rule: one with a problem is left out and reported, the others stand.

    rules:
      - name: slow-issues
        kind: threshold          # or another of `app.commands.rule_conditions`
        measure: p95             # proxied, bad, excluded, shed, error_ratio, p50, p95 or p99
        above: 2000              # or below; milliseconds, a ratio from 0 to 1, or a count
        window: 15m
        minimum: 50              # exchanges below which nothing is judged
        for: 5m
        keep_firing_for: 10m
        severity: P3
        by: integration          # integration, operation or partner
        only: {partners: [globex], categories: [crm]}
        overrides:
          - {only: {integrations: [globex-issues]}, above: 4000}
        runbook: https://wiki.example/slow
"""

from dataclasses import dataclass, replace
from pathlib import Path

from app.commands import registry_checks as check
from app.commands.registry_fields import Fields, Problems
from app.commands.rule_conditions import OF_KIND, condition_of, one_of, word
from app.commands.yaml_tree import Node, YamlProblem, read_tree
from app.domain.alert import Patience
from app.domain.rule import (
    LATENCIES,
    By,
    Condition,
    Override,
    Rule,
    Selector,
    Severity,
    Threshold,
)
from app.domain.window import DAY_US

_COMMON = (
    "name", "kind", "severity", "by", "only", "for", "keep_firing_for", "overrides",
    "description", "runbook",
)  # fmt: skip
_SELECTOR = ("integrations", "partners", "categories", "visibilities")
_MAX_BYTES = 1024 * 1024
_MOST = 1_000
_PATIENCE = check.seconds(1, 30 * DAY_US // 1_000_000)


@dataclass(frozen=True, slots=True)
class RuleFiles:
    """The rules that can be used, and what is wrong with the others: `file:line: message`."""

    rules: tuple[Rule, ...]
    problems: tuple[str, ...]


def read_folder(folder: Path) -> RuleFiles:
    """Every `*.yaml` of a folder in order of name; a folder that is not there holds none."""
    rules: dict[str, Rule] = {}
    problems: list[str] = []
    for path in sorted(folder.glob("*.yaml")):
        found = _read(path)
        problems += found.problems
        for rule in found.rules:
            if rule.name in rules:
                problems.append(f"{path.name}: rule {rule.name!r} is there already in another file")
            else:
                rules[rule.name] = rule
    return RuleFiles(tuple(rules.values()), tuple(problems))


def parse(content: bytes, name: str) -> RuleFiles:
    """The rules in `content`; `name` stands before each line number."""
    try:
        tree = read_tree(content.decode("utf-8-sig"))
    except YamlProblem as problem:
        return RuleFiles((), (f"{name}:{problem.line}: {problem.message}",))
    except UnicodeDecodeError:
        return RuleFiles((), (f"{name}:1: not UTF-8: save it as UTF-8",))
    if tree is None:
        return RuleFiles((), ())
    whole = Problems()
    nodes = Fields(tree, "the file", ("rules",), whole).nodes("rules")
    rules = []
    for node in nodes:
        problems = Problems()
        rule = _rule(node, problems)
        if problems.sorted():
            for line, message in problems.sorted():
                whole.add(line, message)
            continue
        whole.claim("rule", rule.name, node.line)
        rules.append(rule)
    unique = {rule.name: rule for rule in reversed(rules)}
    return RuleFiles(
        tuple(reversed(unique.values())),
        tuple(f"{name}:{line}: {message}" for line, message in whole.sorted()),
    )


def _read(path: Path) -> RuleFiles:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        return RuleFiles((), (f"{path.name}: cannot be read: {error.strerror}",))
    if len(content) > _MAX_BYTES:
        return RuleFiles((), (f"{path.name}: longer than {_MAX_BYTES:,} bytes",))
    return parse(content, path.name)


def _rule(node: Node, problems: Problems) -> Rule:
    known = (*_COMMON, *(key for keys in OF_KIND.values() for key in keys))
    fields = Fields(node, "rule", known, problems, "name")
    kind = fields.needed("kind", one_of(tuple(OF_KIND)), "silence")
    for key in known:
        if fields.has(key) and key not in (*_COMMON, *OF_KIND[kind]):
            problems.add(fields.line_of(key), f"a rule of kind {kind!r} has no {key!r}")
    condition = condition_of(kind, fields, problems)
    patience = _patience(fields, Patience())
    by = By.MIDSPAN if kind == "platform_outage" else _by(kind, fields, problems, condition)
    return Rule(
        name=fields.needed("name", check.slug, "x"),
        condition=condition,
        severity=fields.value("severity", word(Severity), Severity.P3),
        by=by,
        only=_selector(fields),
        patience=patience,
        overrides=_overrides(kind, fields, condition, patience, problems),
        description=fields.value("description", check.name, ""),
        runbook=fields.value("runbook", check.web_url, ""),
    )


def _by(kind: str, fields: Fields, problems: Problems, condition: Condition) -> By:
    by = fields.value("by", word(By), By.INTEGRATION)
    if by == By.MIDSPAN or (kind != "threshold" and by != By.INTEGRATION):
        problems.add(fields.line_of("by"), f"a rule of kind {kind!r} cannot be by {by.value!r}")
    if by == By.PARTNER and isinstance(condition, Threshold) and condition.measure in LATENCIES:
        problems.add(
            fields.line_of("by"),
            f"{condition.measure.value} of several integrations is not one number:"
            " by integration or operation",
        )
    return by


def _overrides(
    kind: str, fields: Fields, condition: Condition, patience: Patience, problems: Problems
) -> tuple[Override, ...]:
    known = ("only", "for", "keep_firing_for", *OF_KIND[kind])
    found = []
    for node in fields.nodes("overrides"):
        inner = Fields(node, "override", known, problems)
        inner.require("only")
        changed = condition_of(kind, inner, problems, condition)
        found.append(Override(_selector(inner), changed, _patience(inner, patience)))
    return tuple(found)


def _patience(fields: Fields, instead: Patience) -> Patience:
    return replace(
        instead,
        for_us=fields.value("for", _PATIENCE, instead.for_us),
        keep_us=fields.value("keep_firing_for", _PATIENCE, instead.keep_us),
    )


def _selector(fields: Fields) -> Selector:
    only = fields.inner("only", _SELECTOR)
    return Selector(
        frozenset(only.texts("integrations", check.slug, _MOST)),
        frozenset(only.texts("partners", check.slug, _MOST)),
        frozenset(only.texts("categories", check.category, _MOST)),
        frozenset(only.texts("visibilities", check.visibility, _MOST)),
    )
