"""A rule as the text of a rule file: what `app.commands.rule_file` reads again as the same rule."""

from dataclasses import fields
from decimal import Decimal
from enum import Enum
from typing import Any

import yaml

from app.domain.alert import Patience
from app.domain.currency import MINOR_DIGITS
from app.domain.phrases import short_duration
from app.domain.rule import By, Condition, RevenueAtRisk, Rule, Selector, Threshold


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
    """The keys of a condition in the order of its fields, as a file has them."""
    said: dict[str, Any] = {}
    for each in fields(condition):
        value = getattr(condition, each.name)
        if value is None:
            continue
        if isinstance(condition, RevenueAtRisk) and each.name == "above_minor":
            said["above"] = _amount(value, condition.currency)
        elif each.name.endswith("_us"):
            said[each.name.removesuffix("_us")] = short_duration(value)
        elif isinstance(value, frozenset):
            said[each.name] = sorted(str(word) for word in value)
        else:
            said[each.name] = _plain(value)
    return said


def _plain(value: float | str) -> float | str:
    if isinstance(value, Enum):
        return str(value.value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _amount(minor: int, currency: str) -> int | float:
    whole = Decimal(minor).scaleb(-MINOR_DIGITS[currency])
    return int(whole) if whole == int(whole) else float(whole)


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
