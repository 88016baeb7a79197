"""Partners' own lists pulled over real HTTP: taken whole, or not at all and by name why not."""

import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from app.db import transaction
from app.domain.window import HOUR_US, MINUTE_US, SECOND_US
from app.models import Integration, ListSource
from collectors.lists.fetch import PAGE_BYTES
from collectors.lists.pull import Limits, Puller
from tests.app.lifecycle_worlds import integration_id
from tests.app.web_world import SLUGS, World, copy_of, make_template
from tests.collectors.lists.list_server import Answer, ListServer, items, page, raw

PATH = f"/integrations/{SLUGS[0]}/installation-list"
SECRET = "list-s3cret-0123456789"
MIB = 1024 * 1024
LIMITS = Limits(32 * MIB, 50, 60 * SECOND_US)


class Pulling:
    """A registry that names one list, and the partner who serves it."""

    def __init__(self, world: World, token_file: Path) -> None:
        self.world, self.token_file = world, token_file
        self.counted: Counter[str] = Counter()
        self.servers: list[ListServer] = []
        token_file.write_text(f"{SECRET}\n")

    def serve(self, answer: Callable[[str], Answer]) -> ListServer:
        server = ListServer(answer)
        self.servers.append(server)
        return server

    def source(self, url: str, *, private: bool = True, **changes: object) -> None:
        values = {"token_file": str(self.token_file), "every_us": 6 * HOUR_US, **changes}
        owner = integration_id(self.world.engine)
        with transaction(self.world.engine) as session:
            session.get_one(Integration, owner).allow_private_addresses = private
            session.add(ListSource(integration_id=owner, url=url, **values))

    def puller(self, limits: Limits = LIMITS) -> Puller:
        url = self.world.settings.registry_url
        return Puller(url, limits, lambda why: self.counted.update([why]), self.world.clock)

    def pull(self, limits: Limits = LIMITS) -> int:
        return self.puller(limits).turn()

    def served(self, answer: Callable[[str], Answer], limits: Limits = LIMITS) -> ListServer:
        server = self.serve(answer)
        self.source(server.url)
        self.pull(limits)
        return server

    @property
    def answer(self) -> dict:
        return self.world.api(PATH, "globex").json

    @property
    def reason(self) -> str | None:
        failure = self.answer["failure"]
        return failure and failure["reason"]


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    home = tmp_path_factory.mktemp("lists") / "home"
    return home, make_template(home)


@pytest.fixture
def pulling(template, tmp_path) -> Iterator[Pulling]:
    world = World(copy_of(template[0], tmp_path / "home"), template[1])
    made = Pulling(world, tmp_path / "token")
    yield made
    for server in made.servers:
        server.close()
    world.close()


def in_pages(path: str) -> Answer:
    """Three pages; the links are relative, from the root, and whole."""
    match urlsplit(path).query:
        case "":
            return page(items("a", "b"), "?page=2", total=5)
        case "page=2":
            return page(items("c", state="suspended"), "/installations?page=3", total=5)
        case _:
            return page([{"installation": "d", "state": "active", "seats": 7}, *items("e")])


def test_a_list_is_pulled_page_by_page_with_the_token_and_compared(pulling: Pulling) -> None:
    server = pulling.served(in_pages)
    told = pulling.answer
    assert (told["listed"], told["failure"], told["pulled_every_seconds"]) == (5, None, 21_600)
    assert told["counts"]["missing_here"] == 5
    assert told["taken_at"] == told["tried_at"]
    assert server.asked == [
        (path, f"Bearer {SECRET}")
        for path in ("/installations", "/installations?page=2", "/installations?page=3")
    ]


def truncated(_path: str) -> Answer:
    status, headers, (body,) = page(items("a", "b"))
    return status, headers, [body[:-20]]


_fresh = count()
PAD = b"x" * MIB


def heavy_page(_path: str) -> Answer:
    """One of pages without end, a megabyte each."""
    at = next(_fresh)
    head = b'{"next": "?%d", "items": [{"installation": "i%d", "state": "active", "note": "'
    return raw(head % (at, at), PAD, b'"}]}')


WRONG: dict[str, tuple[str, Callable[[str], Answer]]] = {
    "cut off": ("truncated", truncated),
    "cut off within a chunk": (
        "truncated",
        lambda _: raw(b"400\r\n{\"items\": [", Transfer_Encoding="chunked"),
    ),
    "half of it": ("truncated", lambda _: raw(b'{"items": [{"installation": "a", ')),
    "no JSON": ("unreadable", lambda _: raw(b"<h1>Log in</h1>")),
    "no list": ("unreadable", lambda _: raw(b'{"data": []}')),
    "nested deeply": ("unreadable", lambda _: raw(b'{"items": ' + b"[" * 100_000)),
    "compressed": ("unreadable", lambda _: raw(b"\x1f\x8b", Content_Encoding="gzip")),
    "a bad state": ("bad_item", lambda _: page(items("a", state="alive"))),
    "a name of control characters": ("bad_item", lambda _: page(items("a\0"))),
    "an installation twice": ("repeated", lambda _: page(items("a", "b", "a"))),
    "fewer than it says": ("count_differs", lambda _: page(items("a"), total=2)),
    "more than it says": ("count_differs", lambda _: page(items("a", "b"), total=1)),
    "pages that say different totals": (
        "count_differs",
        lambda path: page(items("b"), total=3) if "?" in path else page(items("a"), "?2", total=2),
    ),
    "a page that leads to itself": ("paging_loops", lambda _: page(items("a"), "/installations")),
    "pages in a circle": (
        "paging_loops",
        lambda path: page([], "?two") if path.endswith("?one") else page([], "?one"),
    ),
    "the same page for ever": ("repeated", lambda _: page(items("a"), f"?page={next(_fresh)}")),
    "empty pages for ever": ("too_many_pages", lambda _: page([], f"?page={next(_fresh)}")),
    "a next page elsewhere": ("paging_leaves", lambda _: page([], "https://evil.example/")),
    "a next page over another scheme": ("paging_leaves", lambda _: page([], "file:///etc/passwd")),
    "a next page with a log-in": ("paging_leaves", lambda _: page([], "//u:p@127.0.0.1/")),
    "a next page that is no address": ("paging_leaves", lambda _: page([], "//[")),
    "a redirect": ("redirected", lambda _: raw(status=302, Location="/elsewhere")),
    "no": ("refused", lambda _: raw(b"{}", status=403)),
    "broken": ("refused", lambda _: raw(b"{}", status=500)),
    "no HTTP": ("unreachable", lambda _: raw(b"", status=99)),
    "100 MB in one page": ("too_large", lambda _: raw(*[PAD] * 100)),
    "100 MB in pages": ("too_large", heavy_page),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_a_list_that_is_wrong_is_named_and_leaves_the_one_before(pulling, wrong) -> None:
    client = pulling.world.app.test_client()
    headers = pulling.world.bearer("globex")
    assert client.post(f"/api/v1{PATH}", json={"items": items("first")}, headers=headers).json
    pulling.world.clock.pass_us(7 * HOUR_US)
    reason, serve = WRONG[wrong]
    server = pulling.served(serve)
    told = pulling.answer
    assert told["failure"]["reason"] == reason
    assert told["failure"]["detail"]
    assert (told["listed"], told["items"][0]["installation"]) == (1, "first")
    assert told["taken_at"] < told["tried_at"]
    assert pulling.counted == {f"list_{reason}": 1}
    assert len(server.asked) <= LIMITS.pages


@pytest.mark.parametrize("wrong", ["100 MB in one page", "100 MB in pages"])
def test_memory_stays_flat_however_much_is_sent(pulling: Pulling, wrong) -> None:
    server = pulling.serve(WRONG[wrong][1])
    pulling.source(server.url)
    puller = pulling.puller()
    tracemalloc.start()
    puller.turn()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert pulling.reason == "too_large"
    assert peak < 4 * PAGE_BYTES


def test_a_list_that_trickles_ends_with_its_time(pulling: Pulling) -> None:
    server = pulling.serve(lambda _: (200, {}, server.for_ever(b" ")))
    pulling.source(server.url)
    pulling.pull(Limits(MIB, 10, SECOND_US))
    assert pulling.reason == "too_slow"


def test_no_private_address_is_dialled_unless_the_registry_allows_it(pulling: Pulling) -> None:
    server = pulling.serve(in_pages)
    pulling.source(server.url, private=False)
    pulling.pull()
    assert pulling.reason == "denied"
    assert server.asked == []


def test_the_token_is_shown_to_one_host_and_stands_nowhere(pulling: Pulling, capfd) -> None:
    other = pulling.serve(in_pages)
    pulling.served(lambda _: page([], other.url))
    assert pulling.reason == "paging_leaves"
    assert other.asked == []
    said = capfd.readouterr()
    assert SECRET not in f"{said.out}{said.err}{pulling.answer}"


@pytest.mark.parametrize("content", [None, b"", b"two\nlines", b"\xff" * 20, b"x" * 5_000])
def test_without_a_readable_token_nothing_is_asked(pulling: Pulling, content) -> None:
    pulling.token_file.unlink()
    if content is not None:
        pulling.token_file.write_bytes(content)
    server = pulling.served(in_pages)
    assert (pulling.reason, server.asked) == ("no_token", [])


def test_a_list_is_pulled_again_when_its_time_has_come(pulling: Pulling) -> None:
    server = pulling.served(in_pages)
    pulling.world.clock.pass_us(5 * HOUR_US)
    assert pulling.pull() == 0
    pulling.world.clock.pass_us(HOUR_US)
    assert pulling.pull() == 1
    assert len(server.asked) == 6


def test_after_a_failure_it_is_tried_again_in_a_quarter_of_an_hour(pulling: Pulling) -> None:
    server = pulling.served(truncated)
    pulling.world.clock.pass_us(14 * MINUTE_US)
    assert (pulling.pull(), len(server.asked)) == (0, 1)
    pulling.world.clock.pass_us(MINUTE_US)
    server.serve = in_pages
    assert pulling.pull() == 1
    assert (pulling.answer["listed"], pulling.reason) == (5, None)


def test_two_loaders_pull_a_list_once(pulling: Pulling) -> None:
    second = pulling.puller()
    taken = []

    def serve(path: str) -> Answer:
        if "?" not in path:
            taken.append(second.turn())
        return in_pages(path)

    server = pulling.served(serve)
    assert taken == [0]
    assert len(server.asked) == 3


def test_who_is_cut_off_in_the_middle_is_seen_and_made_up_for(
    pulling: Pulling, monkeypatch
) -> None:
    server = pulling.serve(in_pages)
    pulling.source(server.url)

    def killed(*_given: object) -> None:
        raise SystemExit

    monkeypatch.setattr("collectors.lists.pull.pulled", killed)
    with pytest.raises(SystemExit):
        pulling.pull()
    assert pulling.reason == "under_way"
    monkeypatch.undo()
    pulling.world.clock.pass_us(15 * MINUTE_US)
    assert pulling.pull() == 1


def test_the_list_of_an_integration_that_left_the_registry_is_not_pulled(pulling: Pulling) -> None:
    server = pulling.serve(in_pages)
    pulling.source(server.url)
    with transaction(pulling.world.engine) as session:
        session.get_one(Integration, integration_id(pulling.world.engine)).removed_us = 1
    assert (pulling.pull(), server.asked) == (0, [])


def test_with_the_registry_away_it_is_done_later(pulling: Pulling, tmp_path) -> None:
    puller = Puller(
        f"sqlite:///{tmp_path}/none.db", LIMITS, lambda why: pulling.counted.update([why]),
        pulling.world.clock,
    )  # fmt: skip
    assert puller.turn() == 0
    assert pulling.counted == {"lists_postponed": 1}
