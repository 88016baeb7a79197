"""What people change about who may look: administrators for everybody, everybody for themselves.

Each function asks who the caller of the request in progress is and refuses (`Forbidden`, or
`Unauthorized` where nobody asks) before it does anything; pages may show what they like. Each
change is one transaction with its line in the audit log. Passwords, session ids and digests never
come out; a token does once, when it is made.
"""

from app.auth.managing.myself import (
    SessionView,
    change_password,
    end_other_sessions,
    my_sessions,
)
from app.auth.managing.people import (
    PersonView,
    end_sessions_of,
    invite,
    move,
    people,
    set_enabled,
)
from app.auth.managing.records import (
    AuditView,
    TokenView,
    add_token,
    audit_log,
    revoke_token,
    tokens,
)

__all__ = [
    "AuditView",
    "PersonView",
    "SessionView",
    "TokenView",
    "add_token",
    "audit_log",
    "change_password",
    "end_other_sessions",
    "end_sessions_of",
    "invite",
    "move",
    "my_sessions",
    "people",
    "revoke_token",
    "set_enabled",
    "tokens",
]
