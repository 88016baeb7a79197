"""A real browser on the real app over a sample home."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HERE = str(Path(__file__).parent)
if HERE not in sys.path:
    sys.path.insert(0, HERE)

import rooms  # noqa: E402
import sample  # noqa: E402
import shots  # noqa: E402

_HOURS = 26
#: How long a page may take on a busy machine before a test gives up.
PATIENT_MS = 60_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(HERE) in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def web(tmp_path_factory):
    """The app, for tests that take a part of it away. One home for all: to fill it takes most of
    the time, so a test leaves no more behind than a person would."""
    config = sample.fill(tmp_path_factory.mktemp("home"), sample.wall_clock_us(), _HOURS)
    server = sample.web_app(config)
    server.test_client().get("/login")
    return server


@pytest.fixture(scope="session")
def base(web) -> Iterator[str]:
    with sample.served(web) as address:
        yield address


@pytest.fixture(scope="session")
def sessions() -> dict[str, list]:
    """The cookies of who logged in already."""
    return {}


@pytest.fixture(scope="module")
def chromium():
    if not Path(shots.CHROMIUM).exists():
        pytest.skip(f"no browser: {shots.CHROMIUM} is not installed")
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright")
    # Its loop runs in this thread until it is closed: not beyond this module, or no test behind
    # it could run a loop of its own.
    playwright.expect.set_options(timeout=PATIENT_MS)
    with playwright.sync_playwright() as tool:
        browser = tool.chromium.launch(
            executable_path=shots.CHROMIUM, args=shots.FLAGS + rooms.FLAGS
        )
        yield browser
        browser.close()


@pytest.fixture
def cookies(chromium, base, sessions) -> Callable[[str], list]:
    """The session of a user, logged in once through the form."""

    def session_of(email: str) -> list:
        if email not in sessions:
            context = chromium.new_context()
            shots.log_in(context.new_page(), base, email)
            sessions[email] = context.cookies()
            context.close()
        return sessions[email]

    return session_of


@pytest.fixture(scope="module")
def room_of(chromium, base) -> Iterator[Callable[[str], rooms.Room]]:
    """The room of a name: made once for a module, and tidied by each test that uses it."""
    made: dict[str, rooms.Room] = {}

    def room(name: str) -> rooms.Room:
        if name not in made:
            made[name] = rooms.Room(chromium, base)
        return made[name]

    yield room
    for each in made.values():
        each.close()


@pytest.fixture
def visit(room_of, base, cookies):
    """Open a page as a user; at the end nothing may have gone wrong in the browser unnoticed."""
    used, troubles, foreign = [], [], []

    def open_page(path: str, email: str = sample.ADMIN, width: int = 1440, scheme: str = "light"):
        session, room = cookies(email), room_of(email)
        used.append(room)
        page = room.open(session, width, scheme)
        page.set_default_timeout(PATIENT_MS)
        page.on("console", lambda m: troubles.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on(
            "request", lambda r: None if r.url.startswith(_OWN(base)) else foreign.append(r.url)
        )
        page.goto(base + path)
        page.wait_for_selector("main .page:not(.loading), main .face:visible")
        return page

    open_page.troubles = troubles
    yield open_page
    for room in used:
        room.tidy()
    assert foreign == []
    assert troubles == []


def _OWN(base: str) -> tuple[str, ...]:  # noqa: N802
    return (base, "data:", "blob:")
