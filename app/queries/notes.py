"""What people wrote beside the numbers of an integration."""

from sqlalchemy import bindparam, select

from app.db import reading as registry_session
from app.domain.scope import Scope
from app.domain.window import Window
from app.models import Integration, Note
from app.queries.reading import Reading
from app.queries.registry import integration_within
from app.queries.results import NoteView
from app.telemetry import timed_query

#: More than this many in one window are not drawn: the newest ones are.
MOST = 100
_EVER = Window(0, 2**62)
# Made once: every look at the charts asks.
_OF_ONE = (
    select(Note)
    .join(Integration, Integration.id == Note.integration_id)
    .where(
        Integration.slug == bindparam("slug"),
        Note.at_us >= bindparam("start_us"),
        Note.at_us < bindparam("end_us"),
    )
    .order_by(Note.at_us.desc(), Note.id.desc())
    .limit(MOST)
)


@timed_query("notes")
def notes(
    reading: Reading, scope: Scope, slug: str, window: Window | None = None
) -> list[NoteView]:
    """The newest `MOST` notes about moments in the window (None: ever), newest first; `NotFound`
    outside the scope."""
    integration_within(reading, scope, slug)
    span = window or _EVER
    known = {"slug": slug, "start_us": span.start_us, "end_us": span.end_us}
    with registry_session(reading.engine) as session:
        return [note_view(each, slug) for each in session.scalars(_OF_ONE, known)]


def note_view(note: Note, slug: str) -> NoteView:
    """One row in words."""
    return NoteView(
        id=note.id,
        integration=slug,
        at_us=note.at_us,
        kind=note.kind.value,
        text=note.text,
        author=note.author,
        created_us=note.created_us,
    )
