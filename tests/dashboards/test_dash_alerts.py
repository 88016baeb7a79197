"""The page of alerts: its sentence, its rows, its faces, and what its buttons may do."""

import json

import pytest
from sqlalchemy import select

from alerts.outbox import OVERTAKEN
from alerts.stages import Reason
from app.commands.alerting import add_silence
from app.commands.telling import Follow
from app.db import reading, transaction
from app.errors import RegistryUnavailable
from app.models import Delivery, Incident, Silence
from app.queries import alerts as queries
from app.queries.alerts import STATUS
from app.queries.results import IncidentView, NotificationView, SilenceView
from dashboards.mount import mount
from dashboards.pages import alert_rows, incident
from tests.app.alert_worlds import add_incident, evidence
from tests.app.web_world import CANARY, EVERYTHING, SLUGS, World, copy_of, make_template
from tests.contract.worlds import NOW_US

MINUTE_US, HOUR_US = 60_000_000, 3_600_000_000
UPDATE = "/_dash-update-component"
MINE, THEIRS = SLUGS[0], SLUGS[2]
T = "\u202f"


@pytest.mark.parametrize(
    ("firing", "untaken", "ended_us", "said"),
    [
        (0, 0, None, "Nothing fires, and nothing did before."),
        (0, 0, NOW_US - 3 * HOUR_US, f"Nothing fires. The last incident ended 3{T}h ago."),
        (1, 1, None, "One alert fires; it is nobody's yet."),
        (1, 0, NOW_US, "One alert fires; somebody has it."),
        (2, 1, None, "Two alerts fire; one is nobody's yet."),
        (5, 2, None, "Five alerts fire; two are nobody's yet."),
        (2, 2, None, "Two alerts fire; all are nobody's yet."),
        (12, 0, None, "12 alerts fire; somebody has each."),
    ],
)
def test_the_page_opens_with_how_many_fire_and_whose_they_are(firing, untaken, ended_us, said):
    assert alert_rows.sentence(firing, untaken, ended_us, NOW_US) == said


@pytest.mark.parametrize(
    ("evaluated_us", "said"),
    [
        (NOW_US, ""),
        (NOW_US - 45_000_000, ""),
        (NOW_US + 9_000_000, ""),
        (NOW_US - 46_000_000, f"last evaluated 46{T}s ago"),
        (NOW_US - 4 * MINUTE_US, f"last evaluated 4{T}min ago"),
        (None, "No rule was evaluated here yet"),
    ],
)
def test_a_page_whose_rules_nobody_evaluates_says_so(evaluated_us, said):
    shown = alert_rows.late(evaluated_us, NOW_US)
    assert said in shown
    assert bool(shown) == bool(said)


def make_incident(**more) -> IncidentView:
    fields = {
        "id": 7, "rule": "silence", "series": "x", "integration": MINE, "partner": "globex",
        "severity": "P2", "state": "firing", "summary": f"8.4{T}% errors", "resolved_us": None,
        "fired_us": NOW_US - 90_000_000, "acked_us": None, "acked_by": None,
        "evidence": evidence(), "notifications": (),
    }  # fmt: skip
    return IncidentView(**(fields | more))


def test_an_incident_is_a_row_with_its_age_and_who_has_it():
    row = alert_rows.incident_row(make_incident(), NOW_US)
    assert row["summary"] == f"8.4{T}% errors"
    assert (row["href"], row["lasted_text"]) == ("/alerts?incident=7", f"1{T}min")
    assert (row["status"], row["tone"], row["state"]) == ("P2", "bad", "firing")
    assert (row["about"], row["taken"]) == (MINE, "nobody yet")
    over = make_incident(state="resolved", resolved_us=NOW_US, integration=None, partner=None)
    row = alert_rows.incident_row(over, NOW_US + HOUR_US)
    assert (row["about"], row["taken"], row["state"]) == ("Midspan", "nobody", "over")
    assert row["lasted"] == 90_000_000


@pytest.mark.parametrize(
    ("actor", "who"),
    [
        ("user:ann@acme.example", "ann@acme.example"),
        ("mail:oncall@globex.example", "oncall@globex.example (by mail)"),
        ("token:ci", "token:ci"),
        ("ci", "ci"),
    ],
)
def test_who_took_it_is_told_in_words(actor, who):
    assert alert_rows.taken(make_incident(acked_us=1, acked_by=actor)) == who


def test_hostile_words_are_cut_and_made_visible():
    row = alert_rows.incident_row(make_incident(summary="<b>\x00\u202e" + "x" * 99_999), NOW_US)
    assert len(json.dumps(row)) < 2_000
    assert row["summary"].startswith("<b>␀\\u202e")


def test_every_reason_and_every_delivery_has_words():
    assert set(alert_rows.REASONS) == {*Reason, *Follow, OVERTAKEN}
    for delivery in Delivery:
        told = NotificationView(
            event="fired", receiver="on-call", channel="mail", address="a@b.example",
            delivery=delivery.value, reason="too_many", attempts=3, at_us=1, error="421 later",
        )  # fmt: skip
        row = alert_rows.told_row(0, told)
        assert row["status"] != delivery.value
        assert row["why"] == (
            "this address was told of 60 others within an hour after 3 attempts: 421 later"
        )


@pytest.mark.parametrize(
    ("more", "what", "ends"),
    [
        ({"integration": MINE}, MINE, f"for 2{T}h more"),
        ({"partner": "globex"}, "all of globex", f"for 2{T}h more"),
        ({"rule": "silence"}, "everything", f"for 2{T}h more"),
        ({"integration": MINE, "starts_us": NOW_US + HOUR_US}, MINE, "from 20 Nov 14:47"),
    ],
)
def test_a_silence_says_about_what_and_how_long(more, what, ends):
    fields = {
        "id": 1, "rule": None, "integration": None, "partner": None, "starts_us": 0,
        "ends_us": NOW_US + 2 * HOUR_US, "created_by": "user:ann@x", "comment": "deploy",
    }  # fmt: skip
    row = alert_rows.silence_row(SilenceView(**(fields | more)), NOW_US)
    assert (row["what"], row["ends_text"], row["by"]) == (what, ends, "ann@x")


def test_the_panel_shows_frozen_numbers_and_leads_to_exchanges():
    props = incident.props(make_incident(), NOW_US)
    assert [(row["name"], row["now"], row["before"]) for row in props["figures"]][:2] == [
        ("Exchanges", "1,200", "1,200"),
        ("Errors", f"8.3{T}%", f"0{T}%"),
    ]
    assert props["operations"][0]["bad_text"] == "90 of 300"
    assert props["samples"][0]["href"].startswith("/exchanges/019aa000")
    assert props["samples"][0]["answer"] == f"500 in 240{T}ms"
    assert (props["take"], props["silence"]) == ("button main", "button")
    assert "nobody has it yet" in props["lead"]


def test_an_incident_of_midspan_itself_has_no_numbers_and_nothing_to_silence():
    bare = make_incident(
        integration=None, evidence="{}", resolved_us=NOW_US, acked_us=NOW_US - HOUR_US,
        acked_by="user:ann@x",
    )  # fmt: skip
    props = incident.props(bare, NOW_US)
    assert (props["figures"], props["operations"], props["samples"]) == ([], [], [])
    assert all(props[each].endswith(" gone") for each in ("take", "silence", "of_class"))
    assert f"ann@x took it 1{T}h ago." in props["lead"]


def test_an_incident_that_somebody_closed_says_who():
    closed = make_incident(resolved_us=NOW_US, closed_by="mail:ann@x")
    assert "nobody has it yet; ann@x (by mail) closed it." in incident.props(closed, NOW_US)["lead"]


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    home = tmp_path_factory.mktemp("alerts") / "template"
    return home, make_template(home)


@pytest.fixture
def web(template, tmp_path):
    home, tokens = template
    world = World(copy_of(home, tmp_path / "home"), tokens)
    world.dash = mount(world.app, world.settings)
    yield world
    world.close()


def call(web, client, start: str, given: dict, *, whole=False):
    """Post the callback whose outputs begin so, from the first of `given`, by `id.property`."""
    name = next(each for each in web.dash.callback_map if each.lstrip(".").startswith(start))
    wanted = web.dash.callback_map[name]
    outputs = [each.rsplit(".", 1) for each in name[2:-2].split("...")]
    parts = {
        part: [{**each, "value": given.get(f"{each['id']}.{each['property']}")} for each in asked]
        for part, asked in (("inputs", wanted["inputs"]), ("state", wanted["state"]))
    }
    body = {
        "output": name,
        "outputs": [{"id": each, "property": prop} for each, prop in outputs],
        "changedPropIds": [next(iter(given))],
        **parts,
    }
    answer = client.post(UPDATE, json=body)
    assert answer.status_code == 200, answer.text
    found = answer.get_json()
    return found if whole else found["response"]


def opened(web, client, search="", *, whole=False):
    given = {"location.search": search, "location.pathname": "/alerts"}
    return call(web, client, "alerts-body", given, whole=whole)


def test_an_empty_page_is_calm_and_says_that_nobody_watches(web):
    found = opened(web, web.client("ecosystem"))
    assert found["alerts-sentence"]["children"] == "Nothing fires, and nothing did before."
    assert found["alerts-firing"]["rowData"] == found["alerts-history"]["rowData"] == []
    assert found["alerts-late"]["className"] == "quiet late"
    assert found["incident"]["className"] == "panel gone"
    assert found["alerts-end-row"]["className"] == "incident-actions gone"


def test_a_watched_page_shows_no_mark(web):
    path = web.settings.home / STATUS
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"evaluated_us": NOW_US - MINUTE_US // 2}))
    assert opened(web, web.client("ecosystem"))["alerts-late"]["className"] == "quiet late gone"
    path.write_text('{"evaluated_us": "half wri')
    found = opened(web, web.client("ecosystem"))["alerts-late"]
    assert found["children"].startswith("No rule was evaluated")


def test_a_partner_sees_its_own_incidents_and_who_of_its_own_was_told(web):
    mine = add_incident(web.engine, NOW_US, MINE, "globex")
    theirs = add_incident(web.engine, NOW_US, THEIRS, "initech", word=CANARY)
    add_incident(web.engine, NOW_US, None, None, rule="midspan-shed", over=True)
    every = opened(web, web.client("ecosystem"), f"?incident={theirs}")
    assert len(every["alerts-history"]["rowData"]) == 3
    assert every["alerts-sentence"]["children"] == "Two alerts fire; all are nobody's yet."
    assert len(every["incident-told"]["rowData"]) == 2
    found = opened(web, web.client("globex"), f"?incident={mine}")
    assert [row["id"] for row in found["alerts-firing"]["rowData"]] == [str(mine)]
    assert [row["who"] for row in found["incident-told"]["rowData"]] == ["partner@globex.example"]
    hidden = opened(web, web.client("globex"), f"?incident={theirs}")
    assert hidden["incident-title"]["children"] == "There is no such incident"
    assert CANARY not in json.dumps(hidden)


@pytest.mark.parametrize("given", ["0", "x", "-1", "9" * 40, "%00", "1e3", "²"])
def test_an_incident_that_is_none_says_so(web, given):
    found = opened(web, web.client("globex"), f"?incident={given}&before={given}")
    assert found["incident-title"]["children"] == "There is no such incident"
    assert found["incident-evidence"]["className"] == "gone"


def test_a_long_history_is_paged(web):
    numbers = [
        add_incident(web.engine, NOW_US, MINE, "globex", rule=f"rule-{i}", over=True)
        for i in range(51)
    ]
    client = web.client("globex")
    first = opened(web, client)
    assert [row["id"] for row in first["alerts-history"]["rowData"]][:1] == [str(numbers[-1])]
    assert first["alerts-older"]["className"] == "button"
    older = opened(web, client, first["alerts-older"]["href"].partition("/alerts")[2])
    assert [row["id"] for row in older["alerts-history"]["rowData"]] == [str(numbers[0])]
    assert older["alerts-older"]["className"] == "button gone"


def press(web, client, button: str, number: int):
    given = {f"incident-{button}.n_clicks": 1, "location.search": f"?incident={number}"}
    return call(web, client, "incident-done", given)


def rows_of(web, table):
    with reading(web.engine) as session:
        return list(session.scalars(select(table).order_by(table.id)))


def test_a_partner_takes_and_silences_its_own_and_nothing_else(web):
    mine = add_incident(web.engine, NOW_US, MINE, "globex")
    theirs = add_incident(web.engine, NOW_US, THEIRS, "initech", word=CANARY)
    ours = add_incident(web.engine, NOW_US, None, None, rule="midspan-shed")
    client = web.client("globex")
    for button in ("take", "silence"):
        for number in (theirs, ours, 999):
            said = press(web, client, button, number)["incident-said"]["children"]
            assert said == "There is no such thing of yours."
    assert [each.acked_by for each in rows_of(web, Incident)] == [None, None, None]
    assert rows_of(web, Silence) == []

    assert press(web, client, "take", mine)["incident-said"]["children"] == "It is yours now."
    again = press(web, web.client("ecosystem"), "take", mine)
    assert again["incident-said"]["children"] == "Somebody has it already."
    assert rows_of(web, Incident)[0].acked_by == "user:dev@globex.example"
    assert "for an hour" in press(web, client, "silence", mine)["incident-said"]["children"]
    (silence,) = rows_of(web, Silence)
    assert (silence.integration, silence.ends_us - silence.starts_us) == (MINE, HOUR_US)
    house = press(web, web.client("ecosystem"), "silence", ours)["incident-said"]["children"]
    assert house == "Only what is about an integration can be silenced here."


def test_a_partner_ends_its_own_silences_and_nobody_elses(web):
    numbers = []
    for slug in (MINE, THEIRS):
        with transaction(web.engine) as session:
            made = add_silence(
                session, EVERYTHING, rule=None, integration=slug, partner=None, starts_us=NOW_US,
                ends_us=NOW_US + HOUR_US, comment="", now_us=NOW_US, actor="user:x",
            )  # fmt: skip
            numbers.append(str(made.id))
    client = web.client("globex")
    web.clock.pass_us(MINUTE_US)

    def end(*chosen):
        rows = [{"id": each} for each in chosen]
        given = {"alerts-end.n_clicks": 1, "alerts-silences.selectedRows": rows}
        given["location.pathname"] = "/alerts"
        answer = call(web, client, "alerts-ended", given)
        return answer["alerts-end-said"]["children"]

    assert end() == "Choose a silence first."
    assert end(*numbers) == end("x") == end("9" * 40) == "There is no such thing of yours."
    assert {each.ends_us for each in rows_of(web, Silence)} == {NOW_US + HOUR_US}
    assert end(numbers[0]) == "Ended."
    assert [each.ends_us for each in rows_of(web, Silence)] == [
        NOW_US + MINUTE_US, NOW_US + HOUR_US,
    ]  # fmt: skip


def test_the_frame_counts_what_fires_within_the_scope(web):
    add_incident(web.engine, NOW_US, MINE, "globex")
    add_incident(web.engine, NOW_US, THEIRS, "initech", word=CANARY)
    add_incident(web.engine, NOW_US, MINE, "globex", rule="slow", over=True)

    def count(role):
        given = {"location.pathname": "/alerts", "location.search": ""}
        found = call(web, web.client(role), "nav-0.className", given)
        assert found["nav-alerts"]["className"] == "nav-link current"
        return found["nav-firing"]["children"]

    assert (count("ecosystem"), count("globex")) == (2, 1)


def test_a_registry_that_is_away_is_told_in_the_bar(web, monkeypatch):
    client = web.client("ecosystem")

    def away(*_args, **_more):
        raise RegistryUnavailable("locked")

    monkeypatch.setattr(queries, "incidents", away)
    found = opened(web, client, whole=True)
    assert found["sideUpdate"]["error"]["className"] == "error-bar"
    assert "alerts-firing" not in found.get("response", {}), "what was read last stays"
