"""What a partner may write as a rule of its own, and what is beyond the bounds."""

import pytest
from sqlalchemy import func, select

from app.commands.partner_rules import (
    MOST_RULES,
    bounded,
    every_partner_rule,
    partner_rules,
    partner_text,
    read_partner_text,
    save_partner_text,
)
from app.commands.rules import rule_of
from app.db import reading, transaction
from app.domain.scope import Role, Scope
from app.errors import NotFound, Refused
from app.models import PartnerRule
from tests.app.web_world import EVERYTHING, GLOBEX, NOBODY, SLUGS

RULE = "name: mine\nkind: threshold\nmeasure: error_ratio\nabove: 0.02\nwindow: 15m\n"
TO = "to: [dev@globex.example]\n"
BUILDER = Scope(Role.INTERNAL, frozenset(), frozenset({"hooli-inside"}))


def save(world, text: str, scope: Scope = GLOBEX, partner: str = "globex"):
    return save_partner_text(
        world.engine, scope, text, partner=partner, now_us=1, actor="user:dev@globex.example"
    )


def test_a_rule_of_a_partner_reaches_its_own_integrations_and_reads_as_it_was_written(world):
    save(world, RULE + TO)
    save(world, RULE.replace("0.02", "0.05") + "to: oncall@globex.example\n")
    [own] = partner_rules(world.engine, GLOBEX, "globex")
    assert own.to == ("oncall@globex.example",)
    assert own.standing.name == "globex/mine"
    assert own.standing.only.partners == {"globex"}
    assert own.standing.condition.above == 0.05
    assert read_partner_text(partner_text(own)) == (own.rule, own.to)
    found, problems = every_partner_rule(world.engine)
    assert ([each.standing for each in found], problems) == ([own.standing], ())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (RULE, "say once, on a line of its own, whom to tell"),
        (RULE + TO + TO, "say once"),
        (RULE + "to: []\n", "'to' has 1 to 5 mail addresses"),
        (RULE + "to: [a@globex.example, b, c]\n", "'to': "),
        (RULE + "to: {a: b}\n", "'to': "),
        (RULE + "to: [", "'to': "),
        (RULE + "to: [eve@evil.example]\n", "eve@evil.example is at no domain of your contacts"),
        (RULE + "to: ['dev@globex.example\\nBcc: x@y.example']\n", "'to': "),
        (RULE + TO + "severity: P1\n", "a rule of yours is at most P2"),
        (RULE + TO + "only: {partners: [initech]}\n", "'only' names integrations of yours"),
        (RULE + TO + "only: {categories: [crm]}\n", "'only' names integrations of yours"),
        (RULE + TO + f"only: {{integrations: [{SLUGS[2]}]}}\n", f"no integration '{SLUGS[2]}'"),
        (RULE + TO + "only: {integrations: [never]}\n", "no integration 'never'"),
        (
            RULE + TO + f"overrides: [{{only: {{integrations: [{SLUGS[2]}]}}, above: 0.1}}]\n",
            f"no integration '{SLUGS[2]}'",
        ),
        (RULE.replace("15m", "17m") + TO, "a 'window' of yours is one of 1m, 5m"),
        (RULE.replace("15m", "1d") + "by: operation\n" + TO, "by operation"),
        (RULE.replace("mine", "m" * 37) + TO, "at most 36 characters"),
        (RULE.replace("error_ratio", "eror_ratio") + TO, "did you mean 'error_ratio'?"),
        ("name: x\nkind: platform_outage\n" + TO, "is of one of these kinds"),
        ("name: x\nkind: reconciliation\n" + TO, "is of one of these kinds"),
    ],
)
def test_what_is_beyond_the_bounds_is_refused_and_nothing_is_kept(world, text, problem):
    with pytest.raises(Refused) as caught:
        save(world, text)
    assert problem in str(caught.value)
    with reading(world.engine) as session:
        assert session.scalar(select(func.count()).select_from(PartnerRule)) == 0


@pytest.mark.parametrize(
    ("scope", "partner"),
    [(GLOBEX, "initech"), (NOBODY, "globex"), (BUILDER, "hooli"), (EVERYTHING, "never"),
     (EVERYTHING, "glo\x00bex"), (GLOBEX, "\ud800")],
)  # fmt: skip
def test_nobody_reads_writes_or_tries_for_a_partner_that_is_not_theirs(world, scope, partner):
    doing = (
        lambda: save(world, RULE + TO, scope, partner),
        lambda: partner_rules(world.engine, scope, partner),
        lambda: bounded(world.engine, scope, partner, rule_of(RULE)),
    )
    for each in doing:
        with pytest.raises(NotFound):
            each()


def test_a_partner_has_so_many_rules_and_no_more(world):
    for number in range(MOST_RULES):
        save(world, RULE.replace("mine", f"mine-{number}") + TO)
    save(world, RULE.replace("mine", "mine-0") + TO)
    with pytest.raises(Refused, match="at most 20 rules"):
        save(world, RULE + TO)


def test_a_rule_that_can_no_longer_be_read_is_told_and_stops_no_other(world):
    save(world, RULE + TO)
    save(world, RULE.replace("mine", "other") + TO)
    with transaction(world.engine) as session:
        session.scalars(select(PartnerRule).filter_by(name="mine")).one().text = "rules: [{a: b}]"
    found, problems = every_partner_rule(world.engine)
    assert [each.rule.name for each in found] == ["other"]
    assert problems == ("rule globex/mine can no longer be read",)
