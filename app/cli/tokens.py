"""`token`: what programs show instead of a log-in."""

import sys

import click

from app.cli import context
from app.cli.people import ROLES
from app.domain.scope import Role


@click.group(no_args_is_help=False)
def token() -> None:
    """Tokens for programs that use the API."""


@token.command()
@click.argument("name")
@click.option("--role", type=ROLES, required=True)
@click.option("--partner", metavar="SLUG", help="Whose data it shows, for role partner.")
@click.option("--integration", metavar="SLUG", help="Which one, for role internal.")
def add(name: str, role: str, partner: str | None, integration: str | None) -> None:
    """Make a token and print it, once: it cannot be shown again."""
    from app.commands.tokens import add_token

    with context.changing() as session:
        made = add_token(
            session, name=name, role=Role(role), partner=partner,
            integration=integration, now_us=context.now_us(), actor=context.actor(),
        )  # fmt: skip
    print(made)
    if sys.stderr.isatty():
        print("Keep it: it is not stored and cannot be shown again.", file=sys.stderr)


@token.command()
@click.argument("name")
def revoke(name: str) -> None:
    """Make a token worthless from now on."""
    from app.commands.tokens import revoke_token

    with context.changing() as session:
        revoke_token(session, name=name, now_us=context.now_us(), actor=context.actor())
    print(f"revoked {name}")


@token.command("list")
def list_() -> None:
    """Show all tokens by name; never the tokens themselves."""
    from app.commands.tokens import list_tokens

    rows: list[tuple[str, ...]] = [("NAME", "ROLE", "BELONGS TO", "ADDED", "LAST USED", "REVOKED")]
    with context.reading() as session:
        for each in list_tokens(session):
            place = each.partner or each.integration
            slug = place.slug if place else "-"
            times = (each.created_us, each.last_used_us, each.revoked_us)
            rows.append((each.name, each.role, slug, *map(context.day, times)))
    for line in context.table(rows):
        print(line)
