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
@click.option(
    "--integration", "integrations", multiple=True, metavar="SLUG",
    help="For role internal; may be repeated.",
)  # fmt: skip
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--no-password", is_flag=True, help="They log in by mailed link or OIDC only.")
def add(
    *,
    email: str,
    role: str,
    partners: tuple[str, ...],
    integrations: tuple[str, ...],
    password_stdin: bool,
    no_password: bool,
) -> None:
    """Add a user.

    The password is asked for on a terminal. Without one, or when nothing is entered, it is
    generated and printed once.
    """
    from app.commands.users import add_user

    password, generated = (None, False) if no_password else _password(password_stdin)
    with context.changing() as session:
        added = add_user(
            session, email=email, role=Role(role), password=password, partners=partners,
            integrations=integrations, now_us=context.now_us(), actor=context.actor(),
        )  # fmt: skip
    print(f"added {added.email}, role {role}")
    if password is not None:
        _show(password, generated)


@user.command()
@click.argument("email")
@click.option("--role", type=ROLES, required=True)
@click.option("--partner", "partners", multiple=True, metavar="SLUG", help="May be repeated.")
@click.option(
    "--integration", "integrations", multiple=True, metavar="SLUG",
    help="For role internal; may be repeated.",
)  # fmt: skip
def move(email: str, role: str, partners: tuple[str, ...], integrations: tuple[str, ...]) -> None:
    """Give a user another role or other partners, and log them out everywhere."""
    from app.commands.users import move_user

    with context.changing() as session:
        done = move_user(
            session, email=email, role=Role(role), partners=partners, integrations=integrations,
            now_us=context.now_us(), actor=context.actor(),
        )  # fmt: skip
    print(f"moved {email} to role {role}" if done else f"{email} was there already")


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
    from app.commands.users import belongs_to, list_users

    rows: list[tuple[str, ...]] = [("EMAIL", "ROLE", "BELONGS TO", "ADDED", "DISABLED")]
    with context.reading() as session:
        for each in list_users(session):
            slugs = ", ".join(belongs_to(each)) or "-"
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
