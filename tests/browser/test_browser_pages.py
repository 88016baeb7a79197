import re

import pytest
import sample
from playwright.sync_api import expect

from app.errors import StoreUnavailable
from app.queries import Reading

HEALTH = "/integrations/globex-issues"
T = "\u202f"
EXCHANGES = (
    "Number(document.querySelector('#health-exchanges-value').textContent.replaceAll(',', ''))"
)


def text(page, selector):
    return page.locator(selector).first.inner_text().strip()


def count(page, selector):
    return int(text(page, selector).replace(",", ""))


def drawn(page, chart):
    page.wait_for_selector(f"#{chart} .main-svg .xtick", state="attached")


def api(page, base, path):
    answer = page.request.get(base + path)
    assert answer.ok, answer.status
    return answer.json()


def test_the_page_shows_the_numbers_of_the_api(visit, base):
    question = f"/api/v1{HEALTH}/health?window=24h"
    for _ in range(5):
        page = visit(f"{HEALTH}?window=24h")
        before, after = api(page, base, question), api(page, base, question)
        page.reload()
        page.wait_for_selector("main .page:not(.loading)")
        if before == after == api(page, base, question):
            break
    assert text(page, "#health-exchanges-value") == f"{before['proxied']:,}"
    shown = text(page, "#health-ratio-value").removesuffix(f"{T}%")
    assert float(shown) == pytest.approx(before["error_ratio"] * 100, abs=0.051)
    assert text(page, "#health-excluded-value") == f"{before['excluded']:,}"
    assert text(page, "#health-status").split(" ", 1)[1].lower() == before["status"]
    p95 = before["latency_ms"]["p95"]
    assert text(page, "#health-p95-value") == f"{p95:.0f}{T}ms"
    assert "failed" in text(page, "#health-sentence") or "answered" in text(
        page, "#health-sentence"
    )


def test_a_preset_changes_the_address_and_the_numbers_and_back_undoes_it(visit):
    page = visit(HEALTH)
    day = count(page, "#health-exchanges-value")
    page.click("a[data-window='1h']")
    page.wait_for_function(f"most => {EXCHANGES} < most", arg=day / 2)
    assert page.url.endswith("?window=1h")
    expect(page.locator("a[data-window='1h']")).to_have_attribute("aria-current", "true")
    assert "Last 1" in text(page, "#health-period")
    hour = count(page, "#health-exchanges-value")
    page.go_back()
    # A day that is looked at changes a little by itself, minute by minute.
    page.wait_for_function(f"least => {EXCHANGES} > least", arg=(hour + day) / 2)
    assert count(page, "#health-exchanges-value") == pytest.approx(day, rel=0.05)


def test_dragging_on_a_chart_narrows_the_page_and_the_link_can_be_passed_on(visit):
    page = visit(HEALTH)
    drawn(page, "chart-traffic")
    whole = count(page, "#health-exchanges-value")
    box = page.locator("#chart-traffic .nsewdrag").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + box["height"] / 2, steps=8)
    page.mouse.up()
    page.wait_for_url(re.compile(r"\?from=.*&to="))
    # A page that is looked at changes a little by itself, minute by minute: less by far is meant.
    page.wait_for_function(f"most => {EXCHANGES} < most", arg=whole * 0.8)
    narrowed = text(page, "#health-exchanges-value")
    expect(page.locator("#range-label")).to_contain_text("–")
    other = visit(page.url.split("/", 3)[3].join(["/", ""]))
    assert text(other, "#health-exchanges-value") == narrowed
    assert text(other, "#health-period") == text(page, "#health-period")


def test_a_failure_opens_with_its_evidence(visit):
    page = visit(HEALTH)
    answered = page.locator("#health-failures .ag-row").filter(
        has=page.get_by_text("500", exact=True)
    )
    answered.nth(2).locator("a").first.click()
    page.wait_for_url(re.compile("/exchanges/[0-9a-f-]{36}$"))
    page.wait_for_selector("text=Timing")
    assert page.url.rsplit("/", 1)[1] in text(page, ".facts")
    expect(page.locator(".wire.body").last).to_contain_text("null value in column team_id")
    page.go_back()
    page.wait_for_selector("#health-strip")


def test_an_exchange_is_found_by_its_id(visit):
    page = visit(HEALTH)
    href = page.locator("#health-failures .ag-row a").nth(1).get_attribute("href")
    page.keyboard.press("/")
    page.keyboard.type(href.rsplit("/", 1)[1])
    page.wait_for_url("**" + href)
    page.wait_for_selector("text=Timing")
    assert href.rsplit("/", 1)[1] in text(page, ".facts")


def test_an_integration_is_found_by_its_name(visit):
    page = visit("/?window=6h")
    page.wait_for_selector("#nav-0:not(:empty)")
    page.keyboard.press("/")
    page.keyboard.type("umbre")
    page.locator("[role=option]").first.click()
    page.wait_for_url("**/integrations/umbrella-ci?window=6h")
    page.wait_for_selector("#health-strip")
    assert text(page, "h1") == "Umbrella CI"


def test_the_list_goes_back_in_time_page_by_page(visit):
    page = visit(f"{HEALTH}/exchanges")
    first = page.locator("#exchanges-grid .ag-row a").first.get_attribute("href")
    page.click("#exchanges-older")
    page.wait_for_url(re.compile("cursor="))
    page.wait_for_function(
        "old => { const a = document.querySelector('#exchanges-grid .ag-row a');"
        " return a && a.getAttribute('href') !== old; }",
        arg=first,
    )
    older = page.locator("#exchanges-grid .ag-row a").first.get_attribute("href")
    assert older < first  # ids grow with time
    page.click("#exchanges-newest")
    page.wait_for_function(
        "old => document.querySelector('#exchanges-grid .ag-row a').getAttribute('href') === old",
        arg=first,
    )


def test_the_overview_opens_with_who_needs_a_person(visit):
    page = visit("/")
    cards = page.locator(".card:not(.gone)").count()
    words = ["No", "One", "Two", "Three", "Four", "Five", "Six"]
    assert text(page, "h1").startswith(words[cards])
    page.wait_for_selector("#overview-grid .ag-row .badge")
    ranks = page.locator("#overview-grid .ag-row .badge").all_inner_texts()
    assert "■" in ranks[0]
    page.locator("#overview-grid .ag-row .cell-name").first.click()
    page.wait_for_selector("#health-strip")


def test_a_partner_sees_its_own_and_the_same_page_for_all_others(visit, base):
    page = visit("/", email=sample.GLOBEX)
    page.wait_for_selector("#overview-grid .ag-row")
    assert page.locator("#overview-grid .ag-row").count() == 1
    assert page.locator(".nav-link[data-icon]:not(.gone)").count() == 1
    said = []
    for path in ("/integrations/hooli-sync", "/integrations/no-such-thing"):
        page.goto(base + path)
        page.wait_for_selector("main .face")
        said.append(page.locator("main").inner_text())
    assert said[0] == said[1]
    assert "There is no such integration" in said[0]
    assert len(visit.troubles) == 2
    assert all("404 (NOT FOUND)" in each for each in visit.troubles)
    visit.troubles.clear()


def test_no_answer_to_a_partner_names_another(visit, base):
    heard = []
    page = visit("/", email=sample.GLOBEX)
    page.on("response", lambda r: heard.append(r) if "_dash-update" in r.url else None)
    page.goto(base + HEALTH)
    page.wait_for_selector("main .page:not(.loading)")
    page.wait_for_load_state("networkidle")
    bodies = "".join(response.text() for response in heard if response.status == 200)
    assert "globex-issues" in bodies
    for other in ("hooli", "initech", "umbrella", "stark", "wayne"):
        assert other not in bodies.lower()


def test_an_integration_without_traffic_says_how_to_begin(visit):
    page = visit("/integrations/tyrell-forms")
    assert page.locator("text=http://127.0.0.1:8080/tyrell-forms/").is_visible()
    assert not page.locator("#health-strip").is_visible()


def test_hostile_texts_are_only_texts(visit):
    page = visit(f"{HEALTH}?window=1h")
    row = page.locator("#health-failures .ag-row", has_text="<script>window.__owned")
    row.locator("a").first.click()
    page.wait_for_selector("text=Timing")
    assert "<script>window.__owned=1</script>" in page.locator(".wire.body").last.inner_text()
    assert page.evaluate("window.__owned") is None
    assert page.locator("main img, main script, main iframe").count() == 0
    assert page.locator("main a[href^='javascript']").count() == 0
    assert "\u202e" not in page.locator("main").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_light_and_dark_are_kept_and_shown_from_the_first_paint(visit):
    page = visit(HEALTH)
    drawn(page, "chart-traffic")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("#scheme-switch")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    page.reload(wait_until="commit")
    page.wait_for_selector("head", state="attached")
    page.wait_for_function(
        "() => document.documentElement.dataset.mantineColorScheme === 'dark'", polling=20
    )
    page.wait_for_selector("main .page:not(.loading)")
    assert page.evaluate("document.documentElement.dataset.mantineColorScheme") == "dark"


def test_a_store_that_is_away_is_said_and_what_was_read_stays(visit, web):
    page = visit(HEALTH)
    shown = text(page, "#health-exchanges-value")
    midspan = web.extensions["midspan"]
    reading = midspan.reading

    class Away:
        def __getattr__(self, _name):
            def refuse(*_args, **_more):
                raise StoreUnavailable("the metrics store is away")

            return refuse

    midspan.reading = Reading(reading.engine, Away(), reading.clock)
    try:
        page.keyboard.press("r")
        page.wait_for_selector("#error:visible")
        assert "cannot read its metrics store right now" in text(page, "#error")
        assert text(page, "#health-exchanges-value") == shown
    finally:
        midspan.reading = reading
    page.keyboard.press("r")
    page.wait_for_selector("#error", state="hidden")


def test_a_range_that_makes_no_sense_is_told(visit):
    page = visit(f"{HEALTH}?window=soon")
    assert "could not be read" in text(page, "#health-quiet")


@pytest.mark.parametrize(
    "path", ["/", HEALTH, f"{HEALTH}/exchanges", f"{HEALTH}/revenue?window=90d"]
)
def test_a_phone_needs_no_sideways_scrolling(visit, path):
    page = visit(path, width=390)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.wait_for_function(
        "() => [...document.querySelectorAll('.ag-body-horizontal-scroll-viewport')]"
        ".every(each => each.scrollWidth <= each.clientWidth + 1)"
    )


def test_keys_are_listed(visit):
    page = visit("/")
    page.keyboard.press("?")
    page.wait_for_selector("#keys[open]")
    assert "find an integration" in text(page, "#keys")
    page.keyboard.press("Escape")
    page.wait_for_selector("#keys[open]", state="detached")


def test_logging_out_ends_the_session(chromium, base):
    import shots

    context = chromium.new_context()
    page = context.new_page()
    shots.log_in(page, base, sample.NOBODY)
    page.wait_for_selector("text=Log out")
    page.click("text=Log out")
    page.wait_for_url("**/login")
    page.goto(base + HEALTH)
    assert "/login?next=" in page.url
    context.close()


def test_an_ended_session_leads_to_the_log_in_page(chromium, base):
    import shots

    context = chromium.new_context()
    page = context.new_page()
    shots.log_in(page, base, sample.NOBODY)
    page.wait_for_selector("main .page:not(.loading)")
    context.clear_cookies()
    page.keyboard.press("r")
    page.wait_for_url("**/login?next=**")
    assert page.locator("input[name=password]").is_visible()
    context.close()


def test_an_address_of_nothing_is_a_404(visit, base):
    page = visit("/")
    assert page.request.get(f"{base}/no/such/page").status == 404
    assert page.request.get(base + HEALTH).status == 200
