"""The rules that a partner wrote for its own integrations, on the page of rules.

A partner sees and writes these alone; what the platform watches is the platform's.
"""

from app.auth import current_actor
from app.commands.partner_rules import (
    OwnRule,
    bounded,
    partner_rules,
    partner_text,
    read_partner_text,
    save_partner_text,
    take_partner_rule_away,
)
from app.domain.rule import Rule
from app.errors import NotFound, Refused
from app.queries import get_integration
from dashboards import asking
from dashboards import format as show
from dashboards.pages import rule_rows as rows

SENTENCE = (
    "Here you write rules for your own integrations. They tell the addresses under 'to', and nobody"
    " else; what the platform watches tells your contacts as ever."
)


def own(ask: asking.Asked) -> list[OwnRule]:
    """The rules of every partner that the caller belongs to."""
    return [
        each
        for partner in sorted(ask.scope.partners or ())
        for each in partner_rules(ask.reading.engine, ask.scope, partner)
    ]


def listed(ask: asking.Asked) -> tuple[list[rows.Row], str]:
    """The rows, and the opening sentence."""
    found = own(ask)
    told = {1: " One stands."}.get(len(found), f" {len(found)} stand." if found else "")
    return [_row(each) for each in found], SENTENCE + told


def _row(each: OwnRule) -> rows.Row:
    row = rows.rule_row(each.rule, None)
    only = ", ".join(sorted(each.rule.only.integrations)) or f"all of {each.partner}"
    return row | {
        "id": f"{each.partner}/{each.rule.name}",
        "about": show.plain(only, 300),
        "origin": show.plain(", ".join(each.to), 300),
    }


def text_of(ask: asking.Asked, chosen: object) -> str:
    """The rule that a browser says is chosen, as a person writes it; "" for none of theirs."""
    return next(
        (partner_text(it) for it in own(ask) if f"{it.partner}/{it.rule.name}" == chosen), ""
    )


def to_try(ask: asking.Asked, text: str) -> Rule:
    """The rule in `text` as it would be evaluated."""
    rule, _ = read_partner_text(text)
    return bounded(ask.reading.engine, ask.scope, _partner(ask, rule), rule)


def save(ask: asking.Asked, text: str) -> str:
    """Save the rule in `text`; what to say."""
    rule, _ = read_partner_text(text)
    made = save_partner_text(
        ask.reading.engine, ask.scope, text, partner=_partner(ask, rule), now_us=ask.now_us,
        actor=current_actor(),
    )  # fmt: skip
    return f"Saved: {made.rule.name} stands from the next evaluation on, and tells {_and(made.to)}."


def remove(ask: asking.Asked, text: str) -> str:
    """Take away the rule in `text`, by its name; what to say."""
    rule, _ = read_partner_text(text)
    take_partner_rule_away(
        ask.reading.engine, ask.scope, partner=_partner(ask, rule), name=rule.name,
        now_us=ask.now_us, actor=current_actor(),
    )  # fmt: skip
    return f"Removed: {rule.name} tells nobody any more."


def _partner(ask: asking.Asked, rule: Rule) -> str:
    """Whose rule it is: of the one partner of the caller, or of the integrations that it names."""
    partners = sorted(ask.scope.partners or ())
    if not partners:
        raise NotFound("there are no rules for you to write")
    if len(partners) == 1:
        return partners[0]
    named = {
        get_integration(ask.reading, ask.scope, slug).partner_slug
        for slug in rule.only.integrations
    }
    if len(named) != 1:
        raise Refused("you belong to several partners: name integrations of one under 'only'")
    return named.pop()


def _and(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
