"""A rule as the text of a rule file: what `app.commands.rule_file` reads again as the same rule."""

from typing import Any

import yaml

from app.domain.alert import Patience
from app.domain.phrases import short_duration
from app.domain.rule import (
    Anomaly,
    BurnRate,
    By,
    Condition,
    InstallsStuck,
    PlatformOutage,
    Rule,
    Selector,
    Silence,
    Threshold,
)

_LIMITS = ("above", "below", "minimum", "objective", "deviations", "change_ratio")


def rule_text(rule: Rule) -> str:
    """The rule as a list of one; of a rule about Midspan itself, which no file can hold, "" ."""
    if rule.kind == "midspan":
        return ""
    said: dict[str, Any] = {"name": rule.name, "kind": rule.kind}
    said |= _condition(rule.condition) | _patience(rule.patience)
    said["severity"] = rule.severity.value
    if isinstance(rule.condition, Threshold) and rule.by != By.INTEGRATION:
        said["by"] = rule.by.value
    said |= _only(rule.only)
    if rule.overrides:
        said["overrides"] = [
            _only(each.only) | _changed(rule.condition, each.condition) | _patience(each.patience)
            for each in rule.overrides
        ]
    for name in ("description", "runbook"):
        if getattr(rule, name):
            said[name] = getattr(rule, name)
    return yaml.safe_dump({"rules": [said]}, sort_keys=False, allow_unicode=True, width=90)


def _condition(condition: Condition) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if isinstance(condition, Threshold | Anomaly):
        said["measure"] = condition.measure.value
    if isinstance(condition, Anomaly):
        said["side"] = condition.side.value
    for name in _LIMITS:
        value = getattr(condition, name, None)
        if value is not None:
            said[name] = int(value) if isinstance(value, float) and value.is_integer() else value
    if isinstance(condition, Threshold | Silence | InstallsStuck | PlatformOutage):
        said["window"] = short_duration(condition.window_us)
    if isinstance(condition, BurnRate) and condition.objective is None:
        said.pop("objective", None)
    return said


def _changed(usual: Condition, own: Condition) -> dict[str, Any]:
    before = _condition(usual)
    return {name: value for name, value in _condition(own).items() if before.get(name) != value}


def _patience(patience: Patience) -> dict[str, str]:
    said = {"for": patience.for_us, "keep_firing_for": patience.keep_us}
    return {name: short_duration(value) for name, value in said.items() if value}


def _only(selector: Selector) -> dict[str, Any]:
    names = ("integrations", "partners", "categories", "visibilities")
    said = {name: sorted(getattr(selector, name)) for name in names if getattr(selector, name)}
    return {"only": said} if said else {}
