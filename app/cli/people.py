"""`user`: who can log in."""

import sys

import click

from app.cli import context
from app.domain.scope import Role
from app.errors import Refused

ROLES = click.Choice([role.value for role in Role])


@click.group(no_args_is_help=False)
def user() -> None:
    """People who can log in."""


@user.command()
@click.argument("email")
@click.option("--role", type=ROLES, required=True)
@click.option("--partner", "partners", multiple=True, metavar="SLUG", help="May be repeated.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def add(email: str, role: str, partners: tuple[str, ...], password_stdin: bool) -> None:
    """Add a user.

    The password is asked for on a terminal. Without one, or when nothing is entered, it is
    generated and printed once.
    """
    from app.commands.users import add_user

    password, generated = _password(password_stdin)
    with context.changing() as session:
        added = add_user(
            session, email=email, role=Role(role), password=password, partners=partners,
            now_us=context.now_us(), actor=context.actor(),
        )  # fmt: skip
    print(f"added {added.email}, role {role}")
    _show(password, generated)


@user.command()
@click.argument("email")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def password(email: str, password_stdin: bool) -> None:
    """Give a user a new password, and log them out everywhere."""
    from app.commands.users import set_password

    chosen, generated = _password(password_stdin)
    with context.changing() as session:
        changed = set_password(
            session, email=email, password=chosen, now_us=context.now_us(), actor=context.actor()
        )
    print(f"changed the password of {changed.email}")
    _show(chosen, generated)


@user.command()
@click.argument("email")
def disable(email: str) -> None:
    """Stop a user from logging in, and log them out everywhere."""
    from app.commands.users import disable_user

    with context.changing() as session:
        done = disable_user(session, email=email, now_us=context.now_us(), actor=context.actor())
    print(f"disabled {email}" if done else f"{email} was disabled already")


@user.command()
@click.argument("email")
def enable(email: str) -> None:
    """Let a disabled user log in again."""
    from app.commands.users import enable_user

    with context.changing() as session:
        done = enable_user(session, email=email, now_us=context.now_us(), actor=context.actor())
    print(f"enabled {email}" if done else f"{email} was not disabled")


@user.command("list")
def list_() -> None:
    """Show everybody."""
    from app.commands.users import list_users

    rows: list[tuple[str, ...]] = [("EMAIL", "ROLE", "PARTNERS", "ADDED", "DISABLED")]
    with context.reading() as session:
        for each in list_users(session):
            slugs = ", ".join(partner.slug for partner in each.partners) or "-"
            added, disabled = context.day(each.created_us), context.day(each.disabled_us)
            rows.append((each.email, each.role, slugs, added, disabled))
    for line in context.table(rows):
        print(line)


def _password(from_stdin: bool) -> tuple[str, bool]:
    """A password, and whether it was generated here."""
    from app.commands.passwords import generate

    if from_stdin:
        given = sys.stdin.readline().rstrip("\r\n")
        if not given:
            raise Refused("no password came on standard input")
        return given, False
    if sys.stdin.isatty():
        given = click.prompt(
            "Password (nothing: generate one)", default="", hide_input=True,
            show_default=False, confirmation_prompt=True, err=True,
        )  # fmt: skip
        if given:
            return given, False
    return generate(), True


def _show(password: str, generated: bool) -> None:
    if generated:
        print(f"password, shown only now: {password}")
