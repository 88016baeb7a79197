"""Who may do it."""

from werkzeug.exceptions import Forbidden

from app.auth.caller import Caller, current_caller
from app.domain.scope import Role


def administrator() -> Caller:
    """The caller, who is an administrator; `Forbidden` for anybody else."""
    caller = current_caller()
    if caller.scope.role is not Role.ADMIN:
        raise Forbidden("this is for administrators")
    return caller


def person() -> tuple[str, str]:
    """E-mail and session digest of the caller; `Forbidden` for a token, which is nobody."""
    caller = current_caller()
    if caller.session is None:
        raise Forbidden("this is for people, and a token was shown")
    return caller.name, caller.session
