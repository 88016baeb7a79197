"""Three people and the same errand: what is broken, since when, one example, and somebody to show
it to. Each walks it from the log-in to the log-out, in one go, with a mouse and a clipboard."""

import csv
import io
import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import pytest
import sample
import shots
from playwright.sync_api import expect

EXCHANGE = re.compile(r"/exchanges/[0-9a-f-]{36}$")
OPENING = "main .opening"
READY = "main .page:not(.loading)"
# The id of an exchange begins with the millisecond it started in, as UUIDv7 lays down.
ALL_FAILED_BEFORE_THE_END = """() => {
  const end = Date.parse(new URLSearchParams(location.search).get("to"));
  const ids = [...document.querySelectorAll("#health-failures .ag-row a")]
    .map(link => link.pathname.split("/").pop().replace("-", ""));
  return ids.length > 0 && ids.every(id => parseInt(id.slice(0, 12), 16) < end);
}"""


@dataclass(frozen=True)
class Walker:
    """Who walks, and what a person like this finds."""

    email: str
    broken: str
    sees: int
    stranger: str


WALKERS = {
    "a partner": Walker(sample.GLOBEX, "globex-issues", 1, sample.NOBODY),
    "an ecosystem engineer": Walker(sample.ENGINEER, "hooli-sync", len(sample.CAST), sample.GLOBEX),
    "an internal builder": Walker(sample.BUILDER, "acme-internal-etl", 1, sample.GLOBEX),
}


@pytest.fixture
def sit_down(room_of, base):
    """A browser of somebody's own, without any session; it may use the clipboard."""
    used = []

    def new_page():
        room = room_of(f"seat {len(used)}")
        used.append(room)
        page = room.open([])
        room.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=base)
        page.set_default_timeout(60_000)
        return page

    yield new_page
    for room in used:
        room.tidy()


@pytest.mark.parametrize("walker", WALKERS.values(), ids=WALKERS)
def test_from_the_log_in_to_the_log_out(walker, sit_down, base):
    page = sit_down()
    shots.log_in(page, base, walker.email)
    _find_the_broken_one(page, walker)
    _narrow_by_dragging(page)
    permalink = _open_a_failure_and_copy_its_link(page, base)
    said = page.locator(OPENING).inner_text()
    assert _opened_anew(sit_down(), permalink, walker.email) == said
    _is_not_there_for(walker.stranger, sit_down(), permalink)
    _take_the_failures_away(page, base, walker, permalink)
    _log_out(page, permalink)


def _find_the_broken_one(page, walker):
    page.wait_for_selector(f"{READY} #overview-grid .ag-row .cell-name")
    expect(page.locator("#overview-grid .ag-row")).to_have_count(walker.sees)
    card = page.locator(".card:not(.gone)", has_text=walker.broken.split("-")[0].capitalize())
    assert card.locator(".badge").inner_text()[0] in "■▲"
    card.click()
    page.wait_for_url(f"**/integrations/{walker.broken}*")
    page.wait_for_selector(f"{READY} #health-strip")


def _narrow_by_dragging(page):
    """Over the end of the chart of traffic, where it still fails."""
    page.wait_for_selector("#chart-traffic .main-svg .xtick", state="attached")
    whole = page.locator("#health-period").inner_text()
    box = page.locator("#chart-traffic .nsewdrag").bounding_box()
    height = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.8, height)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.97, height, steps=8)
    page.mouse.up()
    page.wait_for_url(re.compile(r"\?from=.*&to="))
    page.wait_for_function(
        "old => document.querySelector('#health-period').textContent !== old", arg=whole
    )


def _open_a_failure_and_copy_its_link(page, base):
    """One of the narrowed range: the list may come after the figures."""
    page.wait_for_function(ALL_FAILED_BEFORE_THE_END)
    page.locator("#health-failures .ag-row a").first.click()
    page.wait_for_url(EXCHANGE)
    page.wait_for_selector("text=Timing")
    page.evaluate("navigator.clipboard.writeText('')")
    page.click("button:has-text('copy link')")
    page.wait_for_function("() => navigator.clipboard.readText().then(text => text !== '')")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.url
    assert copied.startswith(f"{base}/exchanges/")
    return copied


def _opened_anew(page, permalink, email):
    """By somebody who has yet to log in: the log-in leads back to what was asked for."""
    page.goto(permalink)
    assert urlsplit(page.url).path == "/login"
    _fill_in(page, email)
    page.wait_for_url(permalink)
    page.wait_for_selector("text=Timing")
    return page.locator(OPENING).inner_text()


def _is_not_there_for(stranger, page, permalink):
    page.goto(permalink)
    _fill_in(page, stranger)
    page.wait_for_selector("main .face:visible")
    assert page.locator(OPENING).count() == 0
    assert page.request.get(permalink).status == 404
    exchange = urlsplit(permalink).path
    assert page.request.get(f"{permalink.removesuffix(exchange)}/api/v1{exchange}").status == 404


def _fill_in(page, email):
    page.fill("input[name=email]", email)
    page.fill("input[name=password]", sample.PASSWORD)
    page.click("button[type=submit] >> nth=0")


def _take_the_failures_away(page, base, walker, permalink):
    """In the narrowed range, that is: by way of back and the list behind the page."""
    page.go_back()
    page.wait_for_selector(f"{READY} #health-strip")
    narrowed = parse_qs(urlsplit(page.url).query)
    page.click(".tabs a:has-text('Exchanges')")
    page.wait_for_selector(f"{READY} #exchanges-grid .ag-row")
    page.click("a[data-verdict=bad]")
    page.wait_for_function(
        "() => document.querySelector('#exchanges-csv').href.includes('verdict=bad')"
    )
    with page.expect_download() as download:
        page.click("#exchanges-csv")
    table = list(csv.DictReader(io.StringIO(download.value.path().read_text("utf-8"))))
    assert {row["counts as"] for row in table} == {"bad"}
    assert {row["integration"] for row in table} == {walker.broken}
    assert permalink.rsplit("/", 1)[1] in {row["id"] for row in table}
    assert parse_qs(urlsplit(page.url).query)["from"] == narrowed["from"]


def _log_out(page, permalink):
    page.click("text=Log out")
    page.wait_for_url("**/login")
    page.goto(permalink)
    assert urlsplit(page.url).path == "/login"
