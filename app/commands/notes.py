"""Writing a note beside the numbers of an integration."""

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from app.commands import audit
from app.db import transaction
from app.domain.scope import Scope
from app.domain.window import DAY_US
from app.errors import NotFound, Refused
from app.models import Integration, Note, NoteKind, Partner

LONGEST = 500
KINDS = tuple(kind.value for kind in NoteKind)
#: A note may be about what is planned, but not about what nobody will live to see.
_AHEAD_US = 366 * DAY_US


def write_note(
    engine: Engine,
    scope: Scope,
    *,
    slug: str,
    kind: str,
    text: str,
    at_us: int,
    now_us: int,
    actor: str,
) -> int:
    """`add_note` in a transaction of its own, its kind a word of `KINDS`; the note's id."""
    if kind not in KINDS:
        raise Refused(f"a note is one of {', '.join(KINDS)}")
    with transaction(engine) as session:
        note = add_note(
            session,
            scope,
            slug=slug,
            kind=NoteKind(kind),
            text=text,
            at_us=at_us,
            now_us=now_us,
            actor=actor,
        )
        return note.id


def add_note(
    session: Session,
    scope: Scope,
    *,
    slug: str,
    kind: NoteKind,
    text: str,
    at_us: int,
    now_us: int,
    actor: str,
) -> Note:
    """Write one down; its author is the name in `actor`, `user:<email>` or `token:<name>`.

    `NotFound` for an integration outside the scope, `Refused` for an empty or too long text and
    for a moment before 1970 or more than a year ahead.
    """
    owner = session.execute(
        select(Integration.id, Partner.slug).join(Partner).where(Integration.slug == slug)
    ).one_or_none()
    if owner is None or not scope.reaches(slug, owner[1]):
        raise NotFound(f"no integration {slug!r}")
    if not 0 <= at_us <= now_us + _AHEAD_US:
        raise Refused("a note is about a moment since 1970 and at most a year ahead")
    note = Note(
        integration_id=owner[0], at_us=at_us, kind=kind, text=checked(text),
        author=actor.partition(":")[2][:300], created_us=now_us,
    )  # fmt: skip
    session.add(note)
    session.flush()
    audit.record(
        session, now_us=now_us, actor=actor, action="note.added", subject=slug, detail=kind.value
    )
    return note


def checked(text: str) -> str:
    """The text as it is kept, spaces at its ends and characters nobody sees taken away."""
    kept = "".join(letter if letter.isprintable() else " " for letter in text).strip()
    if not kept:
        raise Refused("a note needs a text")
    if len(kept) > LONGEST:
        raise Refused(f"a note has at most {LONGEST} characters; this one has {len(kept):,}")
    return kept
