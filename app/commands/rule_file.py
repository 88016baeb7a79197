"""Rule files: `<home>/rules/*.yaml` into rules, every problem with its line.

A file is taken rule by rule: one with a problem is left out and reported, the others stand.

    rules:
      - name: slow-issues
        kind: threshold          # or burn_rate, silence, anomaly, circuit_open, installs_stuck,
                                 # platform_outage
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

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from app.commands import registry_checks as check
from app.commands.registry_fields import Fields, Problems
from app.commands.yaml_tree import Node, YamlProblem, read_tree
from app.domain.alert import Patience
from app.domain.rule import (
    LATENCIES,
    MIN_EVENTS,
    Anomaly,
    BurnRate,
    By,
    CircuitOpen,
    Condition,
    InstallsStuck,
    Measure,
    Override,
    PlatformOutage,
    Rule,
    Selector,
    Severity,
    Side,
    Silence,
    Threshold,
)
from app.domain.window import DAY_US, MINUTE_US

_COMMON = (
    "name", "kind", "severity", "by", "only", "for", "keep_firing_for", "overrides",
    "description", "runbook",
)  # fmt: skip
_OF_KIND: dict[str, tuple[str, ...]] = {
    "threshold": ("measure", "above", "below", "window", "minimum"),
    "burn_rate": ("objective", "minimum"),
    "silence": ("window", "minimum"),
    "anomaly": ("measure", "side", "deviations", "change_ratio", "minimum"),
    "circuit_open": (),
    "installs_stuck": ("window", "minimum"),
    "platform_outage": ("window", "minimum"),
}
_SELECTOR = ("integrations", "partners", "categories", "visibilities")
#: Numbers that say nothing when they come from a few exchanges.
_JUDGED = LATENCIES | {Measure.ERROR_RATIO}
_LEAST = check.whole(0, 10**9)
_MAX_BYTES = 1024 * 1024
_MOST = 1_000
_LIMIT = check.number(-1, 1e12)
_SPAN = check.seconds(60, 30 * DAY_US // 1_000_000)
_DEVIATIONS, _CHANGE = check.number(0, 1_000), check.number(-1e-9, 1_000)
_PATIENCE = check.seconds(1, 30 * DAY_US // 1_000_000)

_W = TypeVar("_W", bound=StrEnum)


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
    known = (*_COMMON, *(key for keys in _OF_KIND.values() for key in keys))
    fields = Fields(node, "rule", known, problems, "name")
    kind = fields.needed("kind", _one_of(tuple(_OF_KIND)), "silence")
    for key in known:
        if fields.has(key) and key not in (*_COMMON, *_OF_KIND[kind]):
            problems.add(fields.line_of(key), f"a rule of kind {kind!r} has no {key!r}")
    condition = _condition(kind, fields, problems, None)
    patience = _patience(fields, Patience())
    by = By.MIDSPAN if kind == "platform_outage" else _by(kind, fields, problems, condition)
    return Rule(
        name=fields.needed("name", check.slug, "x"),
        condition=condition,
        severity=fields.value("severity", _word(Severity), Severity.P3),
        by=by,
        only=_selector(fields),
        patience=patience,
        overrides=_overrides(kind, fields, condition, patience, problems),
        description=fields.value("description", check.name, ""),
        runbook=fields.value("runbook", check.web_url, ""),
    )


def _condition(
    kind: str, fields: Fields, problems: Problems, instead: Condition | None
) -> Condition:
    """The condition that `fields` give; what they leave out is as in `instead`, if that is set."""
    usual = InstallsStuck().minimum if kind == "installs_stuck" else MIN_EVENTS
    minimum = fields.value("minimum", _LEAST, getattr(instead, "minimum", usual))
    match kind:
        case "threshold":
            return _threshold(fields, problems, instead)
        case "burn_rate":
            objective = getattr(instead, "objective", None)
            return BurnRate(fields.value("objective", check.word, objective), minimum)
        case "silence":
            return Silence(_window(fields, instead, 15 * MINUTE_US), minimum)
        case "anomaly":
            return _anomaly(fields, instead)
        case "platform_outage":
            return PlatformOutage(_window(fields, instead, 5 * MINUTE_US), minimum)
        case "installs_stuck":
            return InstallsStuck(_window(fields, instead, DAY_US), minimum)
        case _:
            return CircuitOpen()


def _anomaly(fields: Fields, instead: Condition | None) -> Anomaly:
    given = instead if isinstance(instead, Anomaly) else None
    if given is None:
        fields.require("measure")
    usual = given or Anomaly(Measure.BAD)
    return Anomaly(
        fields.value("measure", _word(Measure), usual.measure),
        fields.value("side", _word(Side), usual.side),
        fields.value("deviations", _DEVIATIONS, usual.deviations),
        fields.value("change_ratio", _CHANGE, usual.change_ratio),
        fields.value("minimum", _LEAST, usual.minimum),
    )


def _threshold(fields: Fields, problems: Problems, instead: Condition | None) -> Threshold:
    given = instead if isinstance(instead, Threshold) else None
    if given is None:
        fields.require("measure", "window")
    measure = fields.value("measure", _word(Measure), given.measure if given else Measure.BAD)
    limit = check.ratio if measure == Measure.ERROR_RATIO else _LIMIT
    above, below = fields.value("above", limit, None), fields.value("below", limit, None)
    if fields.has("above") and fields.has("below"):
        problems.add(fields.line_of("below"), "'above' and 'below' exclude each other")
    if not fields.has("above") and not fields.has("below"):
        if given is None:
            problems.add(fields.line, "a threshold needs 'above' or 'below'")
        else:
            above, below = given.above, given.below
    least = MIN_EVENTS if measure in _JUDGED else 0
    minimum = fields.value("minimum", _LEAST, given.minimum if given else least)
    return Threshold(measure, _window(fields, instead, 15 * MINUTE_US), above, below, minimum)


def _window(fields: Fields, instead: Condition | None, default_us: int) -> int:
    return fields.value("window", _SPAN, getattr(instead, "window_us", default_us))


def _by(kind: str, fields: Fields, problems: Problems, condition: Condition) -> By:
    by = fields.value("by", _word(By), By.INTEGRATION)
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
    known = ("only", "for", "keep_firing_for", *_OF_KIND[kind])
    found = []
    for node in fields.nodes("overrides"):
        inner = Fields(node, "override", known, problems)
        inner.require("only")
        changed = _condition(kind, inner, problems, condition)
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


def _word(vocabulary: type[_W]) -> Callable[[str], _W]:
    def rule(text: str) -> _W:
        return vocabulary(_one_of([member.value for member in vocabulary])(text))

    return rule


def _one_of(choices: Sequence[str]) -> Callable[[str], str]:
    def rule(text: str) -> str:
        if text not in choices:
            raise ValueError(f"{text!r} is not one of {', '.join(choices)}")
        return text

    return rule
