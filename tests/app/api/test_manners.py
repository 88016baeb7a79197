"""What every answer of the API keeps to: ETags, limits, cursors, methods."""

import pytest

from app import settings as settings_module
from app.api.rate import MAX_KEYS, Limiter
from app.domain.window import MINUTE_US, SECOND_US
from app.factory import create_app
from tests.app.web_world import SLUGS, some_traffic

PATHS = ["/partners", "/integrations", f"/integrations/{SLUGS[0]}", "/exchanges", "/openapi.json"]


@pytest.mark.parametrize("path", PATHS)
def test_an_answer_that_is_known_already_is_told_in_a_line(world, path):
    world.load(some_traffic())
    first = world.api(path)
    tag = first.headers["ETag"]
    assert first.headers["Cache-Control"] == "private, no-cache"
    again = world.app.test_client().get(
        f"/api/v1{path}", headers={**world.bearer("ecosystem"), "If-None-Match": tag}
    )
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
    other = world.app.test_client().get(
        f"/api/v1{path}", headers={**world.bearer("ecosystem"), "If-None-Match": '"another"'}
    )
    assert (other.status_code, other.data) == (200, first.data)


def test_a_tag_changes_with_what_is_told_and_is_nobody_elses_key(world):
    path = f"/integrations/{SLUGS[0]}/health"
    before = world.api(path).headers["ETag"]
    world.load(some_traffic())
    assert world.api(path).headers["ETag"] != before
    theirs = world.api(f"/integrations/{SLUGS[2]}").headers["ETag"]
    stranger = world.app.test_client().get(
        f"/api/v1/integrations/{SLUGS[2]}",
        headers={**world.bearer("globex"), "If-None-Match": theirs},
    )
    assert stranger.status_code == 404


def test_problems_carry_no_tag_and_are_not_kept(world):
    answer = world.api("/integrations/nobody")
    assert "ETag" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"


def test_head_says_what_get_would_without_the_body(world):
    client, headers = world.app.test_client(), world.bearer("ecosystem")
    for path in ("/api/v1/integrations", "/api/v1/integrations/nobody"):
        got, told = client.get(path, headers=headers), client.head(path, headers=headers)
        assert (told.status_code, told.data) == (got.status_code, b"")
        assert told.headers.get("ETag") == got.headers.get("ETag")
        assert told.content_type == got.content_type
        assert told.content_length == got.content_length


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_method_that_is_not_for_an_address_is_told_which_are(world, method):
    client = world.app.test_client()
    path = "/api/v1/integrations"
    answer = client.open(path, method=method, headers=world.bearer("admin"))
    assert answer.status_code == 405
    assert answer.content_type == "application/problem+json"
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    asked = client.options(path, headers=world.bearer("admin"))
    assert asked.status_code == 200
    assert set(asked.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


@pytest.mark.parametrize("path", ["/partners", "/integrations"])
def test_a_list_is_walked_by_its_cursor_without_gap_or_repeat(world, path):
    whole = [each["slug"] for each in world.api(path).json["items"]]
    walked, cursor = [], ""
    while cursor is not None:
        page = world.api(f"{path}?limit=1" + (f"&cursor={cursor}" if cursor else "")).json
        assert len(page["items"]) == 1
        walked += [each["slug"] for each in page["items"]]
        cursor = page["next"]
    assert walked == whole
    assert len(walked) > 1


@pytest.mark.parametrize("cursor", ["%00", "a", "//", "_w", "\u00e9", "x" * 101])
def test_a_cursor_that_is_none_of_ours_is_refused(world, cursor):
    answer = world.api(f"/integrations?cursor={cursor}")
    assert answer.status_code == 422
    assert answer.json["errors"][0]["parameter"] == "cursor"


def test_a_caller_may_ask_so_often_and_is_told_when_again(world):
    given = {"MIDSPAN_HOME": str(world.settings.home), "MIDSPAN_API_REQUESTS_PER_MINUTE": "3"}
    settings = settings_module.load(given, world.settings.home / "none")
    app = create_app(settings, clock=world.clock)
    client = app.test_client()

    def ask(role="globex"):
        return client.get("/api/v1/integrations", headers=world.bearer(role))

    told = [ask() for _ in range(4)]
    assert [each.status_code for each in told] == [200, 200, 200, 429]
    assert [each.headers["RateLimit"] for each in told] == [
        '"default";r=2;t=20', '"default";r=1;t=40', '"default";r=0;t=60', '"default";r=0;t=60'
    ]  # fmt: skip
    assert told[0].headers["RateLimit-Policy"] == '"default";q=3;w=60'
    assert told[3].headers["Retry-After"] == "20"
    assert told[3].content_type == "application/problem+json"
    assert ask("initech").status_code == 200, "another caller has a limit of its own"
    assert client.get("/livez").status_code == 200
    world.clock.pass_us(20 * SECOND_US)
    assert [ask().status_code for _ in range(2)] == [200, 429]
    app.extensions["midspan"].reading.store.close()
    app.extensions["midspan"].reading.engine.dispose()


def test_a_bucket_never_holds_more_than_a_minutes_worth():
    limiter = Limiter(60)
    for second in range(0, 3600, 100):
        assert limiter.take("a", second * SECOND_US).remaining == 59
    assert [limiter.take("b", MINUTE_US).wait_s for _ in range(62)] == [0] * 60 + [1, 1]


def test_a_clock_that_steps_back_gives_nothing_away():
    limiter = Limiter(1)
    limiter.take("a", MINUTE_US)
    assert limiter.take("a", 0).wait_s == 60


def test_the_memory_of_callers_is_bounded():
    limiter = Limiter(10)
    for number in range(MAX_KEYS + 100):
        limiter.take(str(number), 0)
    assert len(limiter._used) == MAX_KEYS
