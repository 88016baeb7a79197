"""Rules that partners write for their own integrations: a condition, and whom to tell by mail.

Within bounds: such a rule looks at integrations of its partner alone and tells addresses of that
partner alone; nobody else is told, and whoever the platform tells is told as ever. It wakes
nobody of the platform, so it is no louder than P2. And what it asks is asked anyway, or costs
little: kinds and windows are those of `KINDS` and `WINDOWS`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import yaml
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from app.commands import audit, registry_checks
from app.commands.rule_file import parse
from app.commands.rule_text import rule_text
from app.commands.rules import rule_of
from app.db import reading, transaction
from app.domain.rule import By, Rule, Selector, Severity
from app.domain.scope import Scope
from app.domain.window import HOUR_US, parse_duration
from app.errors import NotFound, Refused
from app.models import Integration, Partner, PartnerContact, PartnerRule, User

MOST_RULES = 20
KINDS = frozenset(
    {
        "threshold", "burn_rate", "silence", "anomaly", "circuit_open", "circuit_near",
        "error_group", "installs_stuck",
    }
)  # fmt: skip
#: Of all partners together they are so many windows to count, however many rules there are.
WINDOWS = ("1m", "5m", "15m", "30m", "1h", "3h", "6h", "12h", "1d", "3d", "7d")
MOST_ADDRESSES = 5
LONGEST_NAME = 36


@dataclass(frozen=True, slots=True)
class OwnRule:
    """A rule of a partner, by the name that the partner gave it, and whom it tells."""

    partner: str
    rule: Rule
    to: tuple[str, ...]
    updated_us: int
    updated_by: str

    @property
    def standing(self) -> Rule:
        """The rule as it is evaluated: its name and its reach are the partner's."""
        only = replace(self.rule.only, partners=frozenset({self.partner}))
        overrides = tuple(
            replace(each, only=replace(each.only, partners=frozenset({self.partner})))
            for each in self.rule.overrides
        )
        name = f"{self.partner}/{self.rule.name}"
        return replace(self.rule, name=name, only=only, overrides=overrides)


def partner_rules(engine: Engine, scope: Scope, partner: str) -> list[OwnRule]:
    """The rules of a partner, by name; `NotFound` outside the scope."""
    with reading(engine) as session:
        owner = _partner(session, scope, partner)
        rows = session.scalars(
            select(PartnerRule).where(PartnerRule.partner_id == owner.id).order_by(PartnerRule.name)
        )
        found = [_read(row, partner) for row in rows]
    return [own for own in found if own is not None]


def every_partner_rule(engine: Engine) -> tuple[list[OwnRule], tuple[str, ...]]:
    """Those of all partners that are current, for the evaluation of rules, and what is wrong with
    the others: they were fine when they were saved."""
    with reading(engine) as session:
        rows = session.execute(
            select(PartnerRule, Partner.slug)
            .join(Partner, Partner.id == PartnerRule.partner_id)
            .where(Partner.removed_us.is_(None))
            .order_by(Partner.slug, PartnerRule.name)
        )
        found = [(slug, row.name, _read(row, slug)) for row, slug in rows]
    problems = tuple(
        f"rule {slug}/{name} can no longer be read" for slug, name, own in found if own is None
    )
    return [own for *_, own in found if own is not None], problems


def save_partner_rule(
    session: Session,
    scope: Scope,
    *,
    partner: str,
    rule: Rule,
    to: tuple[str, ...],
    now_us: int,
    actor: str,
) -> OwnRule:
    """Save a rule in place of one of its name. `NotFound` outside the scope, `Refused` for what is
    beyond the bounds."""
    owner = _partner(session, scope, partner)
    _check(session, owner, rule)
    addresses = _addresses(session, owner, to)
    row = session.scalar(
        select(PartnerRule).where(PartnerRule.partner_id == owner.id, PartnerRule.name == rule.name)
    )
    if row is None:
        number = select(func.count()).where(PartnerRule.partner_id == owner.id)
        if (session.scalar(number) or 0) >= MOST_RULES:
            raise Refused(f"a partner has at most {MOST_RULES} rules of its own")
        row = PartnerRule(partner_id=owner.id, name=rule.name)
        session.add(row)
    row.text, row.addresses = rule_text(rule), "\n".join(addresses)
    row.updated_us, row.updated_by = now_us, actor[:300]
    session.flush()
    audit.record(
        session, now_us=now_us, actor=actor, action="partner_rule.saved",
        subject=f"{partner}/{rule.name}", detail=", ".join(addresses),
    )  # fmt: skip
    return OwnRule(partner, rule, tuple(addresses), now_us, row.updated_by)


def save_partner_text(
    engine: Engine, scope: Scope, text: str, *, partner: str, now_us: int, actor: str
) -> OwnRule:
    """`save_partner_rule` of a rule as a person writes it, whose key `to` says whom to tell, in a
    transaction of its own."""
    rule, to = read_partner_text(text)
    with transaction(engine) as session:
        return save_partner_rule(
            session, scope, partner=partner, rule=rule, to=to, now_us=now_us, actor=actor
        )


def read_partner_text(text: str) -> tuple[Rule, tuple[str, ...]]:
    """The rule that `text` holds, and its `to`; `Refused` with every problem and its line."""
    lines = text.splitlines()
    ours = [number for number, line in enumerate(lines) if line.startswith("to:")]
    if len(ours) != 1:
        raise Refused("say once, on a line of its own, whom to tell: 'to: [dev@example.com]'")
    try:
        found = yaml.safe_load(lines[ours[0]])
    except yaml.YAMLError:
        found = {}
    given = found.get("to") if isinstance(found, Mapping) else None
    several = given if isinstance(given, list) else [given]
    lines[ours[0]] = ""
    rule = rule_of("\n".join(lines))
    return rule, tuple(str(each or "") for each in several)


def partner_text(own: OwnRule) -> str:
    """The rule as a person writes it."""
    said: dict[str, Any] = yaml.safe_load(rule_text(own.rule))["rules"][0]
    to = yaml.safe_dump(list(own.to), default_flow_style=True, width=10_000)
    return f"to: {to}" + yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=90)


def remove_partner_rule(
    session: Session, scope: Scope, *, partner: str, name: str, now_us: int, actor: str
) -> None:
    """Take a rule away; `NotFound` when there is none of that name within the scope."""
    owner = _partner(session, scope, partner)
    named = select(PartnerRule).where(PartnerRule.partner_id == owner.id, PartnerRule.name == name)
    row = session.scalar(named) if _is_slug(name) else None
    if row is None:
        raise NotFound(f"no rule {name!r}")
    session.delete(row)
    audit.record(
        session, now_us=now_us, actor=actor, action="partner_rule.removed",
        subject=f"{partner}/{name}",
    )  # fmt: skip


def take_partner_rule_away(
    engine: Engine, scope: Scope, *, partner: str, name: str, now_us: int, actor: str
) -> None:
    """`remove_partner_rule` in a transaction of its own."""
    with transaction(engine) as session:
        remove_partner_rule(session, scope, partner=partner, name=name, now_us=now_us, actor=actor)


def bounded(engine: Engine, scope: Scope, partner: str, rule: Rule) -> Rule:
    """The rule as it would be evaluated for a partner, to be tried; the exceptions of saving it."""
    with reading(engine) as session:
        _check(session, _partner(session, scope, partner), rule)
    return OwnRule(partner, rule, (), 0, "").standing


def _partner(session: Session, scope: Scope, slug: str) -> Partner:
    known = _is_slug(slug) and scope.covers(slug)
    found = session.scalar(select(Partner).where(Partner.slug == slug)) if known else None
    if found is None or found.removed_us is not None:
        raise NotFound(f"no partner {slug!r}")
    return found


def _is_slug(text: str) -> bool:
    """Whether a text can be a name at all; what else there is, a database may not even hold."""
    try:
        registry_checks.slug(text)
    except ValueError:
        return False
    return True


def _check(session: Session, owner: Partner, rule: Rule) -> None:
    if len(rule.name) > LONGEST_NAME:
        raise Refused(f"the name of a rule of yours has at most {LONGEST_NAME} characters")
    if rule.kind not in KINDS:
        raise Refused(f"a rule of yours is of one of these kinds: {', '.join(sorted(KINDS))}")
    _check_windows(rule)
    if rule.severity == Severity.P1:
        raise Refused("a rule of yours is at most P2")
    slugs = select(Integration.slug).where(Integration.partner_id == owner.id)
    known = frozenset(session.scalars(slugs))
    for only in (rule.only, *(each.only for each in rule.overrides)):
        if only != Selector(integrations=only.integrations):
            raise Refused("'only' names integrations of yours, and nothing else")
        for slug in sorted(only.integrations - known):
            raise Refused(f"no integration {slug!r}")


def _check_windows(rule: Rule) -> None:
    allowed = [parse_duration(each) for each in WINDOWS]
    for condition in rule.conditions:
        window_us = getattr(condition, "window_us", allowed[0])
        if window_us not in allowed:
            raise Refused(f"a 'window' of yours is one of {', '.join(WINDOWS)}")
        if rule.by == By.OPERATION and window_us > HOUR_US:
            raise Refused("by operation a 'window' of yours is at most 1h")


def _addresses(session: Session, owner: Partner, to: tuple[str, ...]) -> list[str]:
    """Addresses at the domains of the partner's contacts and people: whoever writes a rule makes
    Midspan write to nobody else."""
    if not 0 < len(to) <= MOST_ADDRESSES:
        raise Refused(f"'to' has 1 to {MOST_ADDRESSES} mail addresses")
    contacts = select(PartnerContact.email).where(PartnerContact.partner_id == owner.id)
    people = (
        select(User.email)
        .join(User.partners)
        .where(Partner.id == owner.id, User.disabled_us.is_(None))
    )
    known = {*session.scalars(contacts), *session.scalars(people)}
    domains = {_domain(each) for each in known}
    for address in to:
        try:
            registry_checks.mail(address)
        except ValueError as error:
            raise Refused(f"'to': {error}") from error
        if _domain(address) not in domains:
            raise Refused(f"'to': {address} is at no domain of your contacts or people")
    return list(dict.fromkeys(to))


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()


def _read(row: PartnerRule, partner: str) -> OwnRule | None:
    rule = _parsed(row.text)
    if rule is None:
        return None
    return OwnRule(partner, rule, tuple(row.addresses.split("\n")), row.updated_us, row.updated_by)


@lru_cache(maxsize=8_192)
def _parsed(text: str) -> Rule | None:
    """Read once: rules are evaluated every 15 s."""
    rules = parse(text.encode(), "rule").rules
    return rules[0] if rules else None
