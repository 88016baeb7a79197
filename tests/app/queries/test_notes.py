"""Notes: who may write one, what is kept of it, and that the API reads what was written."""

import pytest

from app import queries
from app.commands.notes import LONGEST, add_note
from app.db import reading, transaction
from app.domain.window import DAY_US, Window
from app.errors import NotFound, Refused
from app.models import AuditEntry, NoteKind
from tests.app.web_world import CANARY, EVERYTHING, GLOBEX, SLUGS
from tests.contract.worlds import NOW_US

MINE, THEIRS = SLUGS[0], SLUGS[2]
PATH = f"/integrations/{MINE}/notes"


def write(world, scope=GLOBEX, slug=MINE, text="Release 4.2", at_us=NOW_US):
    with transaction(world.engine) as session:
        return add_note(
            session,
            scope,
            slug=slug,
            kind=NoteKind.DEPLOY,
            text=text,
            at_us=at_us,
            now_us=NOW_US,
            actor="user:dev@globex.example",
        )


def test_a_note_is_found_in_its_window_newest_first(world):
    for days_ago in (3, 1, 2):
        write(world, text=f"{days_ago} days ago", at_us=NOW_US - days_ago * DAY_US)
    found = queries.notes(world.reading, GLOBEX, MINE)
    assert [note.text for note in found] == ["1 days ago", "2 days ago", "3 days ago"]
    assert {(note.kind, note.author) for note in found} == {("deploy", "dev@globex.example")}
    window = Window(NOW_US - 2 * DAY_US, NOW_US - DAY_US)
    assert [n.text for n in queries.notes(world.reading, GLOBEX, MINE, window)] == ["2 days ago"]
    assert queries.notes(world.reading, EVERYTHING, SLUGS[1]) == []


def test_a_note_is_audited_without_its_text(world):
    write(world, text="the password is swordfish")
    with reading(world.engine) as session:
        entry = session.query(AuditEntry).filter_by(action="note.added").one()
        assert (entry.actor, entry.subject) == ("user:dev@globex.example", MINE)
        assert "swordfish" not in entry.detail


@pytest.mark.parametrize("slug", [THEIRS, "never", ""])
def test_nobody_writes_beside_numbers_that_are_not_theirs(world, slug):
    with pytest.raises(NotFound):
        write(world, slug=slug)
    with pytest.raises(NotFound):
        queries.notes(world.reading, GLOBEX, slug)
    assert queries.notes(world.reading, EVERYTHING, THEIRS) == []


@pytest.mark.parametrize(
    ("text", "at_us"),
    [("", NOW_US), (" \n\t ", NOW_US), ("x" * (LONGEST + 1), NOW_US), ("x", -1),
     ("x", NOW_US + 400 * DAY_US)],
)  # fmt: skip
def test_what_says_nothing_or_lies_out_of_time_is_refused(world, text, at_us):
    with pytest.raises(Refused):
        write(world, text=text, at_us=at_us)


def test_characters_that_nobody_sees_are_not_kept(world):
    assert write(world, text=" a\x00b\u202ec\n").text == "a b c"


def test_the_api_reads_what_it_wrote(world):
    client = world.app.test_client()
    answer = client.post(
        f"/api/v1{PATH}",
        json={"text": "New keys", "kind": "change", "at": "2025-11-20T13:00:00Z"},
        headers=world.bearer("globex"),
    )
    assert answer.status_code == 201
    assert (answer.json["author"], answer.json["at"]) == ("globex", "2025-11-20T13:00:00Z")
    for role in ("globex", "ecosystem"):
        assert world.api(PATH, role).json["items"] == [answer.json]
        assert world.api(f"{PATH}?window=2h", role).json["items"] == [answer.json]
        assert world.api(f"{PATH}?window=15m", role).json["items"] == []


@pytest.mark.parametrize(
    ("body", "parameter"),
    [({}, "text"), ({"text": ""}, "text"), ({"text": "x", "kind": "party"}, "kind"),
     ({"text": "x", "at": "noon"}, "at"), ({"text": "x", "colour": "red"}, "colour"),
     ({"text": "x", "at": "2190-01-01T00:00:00Z"}, "text")],
)  # fmt: skip
def test_the_api_names_what_is_wrong_with_a_note(world, body, parameter):
    client = world.app.test_client()
    answer = client.post(f"/api/v1{PATH}", json=body, headers=world.bearer("globex"))
    assert answer.status_code == 422
    assert answer.json["errors"][0]["parameter"] == parameter


def test_the_api_writes_nothing_beside_anothers_numbers(world):
    client = world.app.test_client()
    path = f"/api/v1/integrations/{THEIRS}/notes"
    answer = client.post(path, json={"text": "x"}, headers=world.bearer("globex"))
    assert answer.status_code == 404
    assert CANARY not in answer.text
    assert client.get(path, headers=world.bearer("globex")).status_code == 404
