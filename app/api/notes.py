"""Notes beside the numbers of an integration: reading and writing them."""

from typing import Any

from flask_smorest import Blueprint

from app import queries
from app.api import rendering
from app.api.arguments import NoteArguments, NotesArguments, window_of
from app.api.context import actor, now_us, reading, scope
from app.api.schemas import NoteSchema, NotesSchema
from app.commands.notes import add_note
from app.db import transaction
from app.errors import BadQuery, Refused
from app.models import NoteKind
from app.queries.notes import note_view

Given = dict[str, Any]
Json = dict[str, Any]
_PATH = "/integrations/<slug>/notes"


def add_routes(api: Blueprint) -> None:
    """`GET` and `POST` on the notes of one integration."""
    listed = api.arguments(NotesArguments, location="query", unknown="raise")(notes)
    listed = api.response(200, NotesSchema)(listed)
    written = api.arguments(NoteArguments, location="json", unknown="raise")(write)
    written = api.response(201, NoteSchema)(written)
    for status in (401, 404, 422, 429, 503):
        listed = api.alt_response(status, "PROBLEM")(listed)
        written = api.alt_response(status, "PROBLEM")(written)
    api.route(_PATH, methods=["GET"])(listed)
    api.route(_PATH, methods=["POST"])(written)


def notes(given: Given, slug: str) -> Json:
    """What was written about moments in a window, newest first; without one, ever."""
    bounded = "window" in given or "start" in given
    window = window_of(given, now_us()) if bounded else None
    found = queries.notes(reading(), scope(), slug, window)
    return {"items": [rendering.note(each) for each in found], "next": None}


def write(given: Given, slug: str) -> Json:
    """Write one down, about now unless a moment is named."""
    now = now_us()
    try:
        with transaction(reading().engine) as session:
            note = add_note(
                session,
                scope(),
                slug=slug,
                kind=NoteKind(given["kind"]),
                text=given["text"],
                at_us=given.get("at", now),
                now_us=now,
                actor=actor(),
            )
            view = note_view(note, slug)
    except Refused as error:
        raise BadQuery("text", str(error)) from error
    return rendering.note(view)
