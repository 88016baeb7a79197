"""Failures and exchanges in a real browser: decided about, taken away, followed, and never run."""

import csv
import io
import re

import pytest
import sample
from playwright.sync_api import expect

ERRORS = "/integrations/globex-issues/errors"
LOG = "/integrations/globex-issues/exchanges"


def test_a_failure_is_resolved_and_opened_again(visit):
    page = visit(ERRORS, email=sample.GLOBEX)
    first = page.locator("#errors-grid .ag-row").first
    name = first.locator(".cell-name").inner_text()
    first.locator(".ag-checkbox-input").click()
    page.click("button[data-decide=resolved]")
    page.wait_for_selector("text=Done.")
    page.click("a[data-param=standing][data-value=resolved]")
    page.wait_for_selector("#errors-grid .badge:has-text('Resolved')")
    row = page.locator("#errors-grid .ag-row").first
    assert row.locator(".cell-name").inner_text() == name
    row.locator(".ag-checkbox-input").click()
    page.click("button[data-decide=unresolved]")
    page.wait_for_selector("#errors-grid .ag-row", state="detached")


def test_what_is_failing_leads_to_one_of_it(visit):
    page = visit("/integrations/globex-issues")
    page.locator("#health-groups .ag-row .cell-name").first.click()
    page.wait_for_url(re.compile("/exchanges/[0-9a-f-]{36}$"))
    page.wait_for_selector("text=This installation just before and after")
    command = page.get_attribute("button:has-text('copy as curl')", "data-copy")
    assert command.startswith("curl -i -X ")


def test_a_filtered_list_is_taken_away_as_a_table(visit, base):
    page = visit(f"{LOG}?outcome=server_error&q=script")
    expect(page.locator("#exchanges-grid .ag-row")).to_have_count(1)
    answer = page.request.get(base + page.get_attribute("#exchanges-csv", "href"))
    head, row = csv.reader(io.StringIO(answer.text()))
    assert row[head.index("path")].startswith("/v1/<script>")
    assert "\x1b" not in answer.text()


def test_a_list_that_is_followed_reads_again_and_rests_while_it_is_read(visit):
    page = visit(LOG)
    before = page.locator("#exchanges-as-of").inner_text()
    page.click("a[data-param=live][data-value='1']")
    page.wait_for_url("**live=1")
    page.wait_for_function(
        "old => document.querySelector('#exchanges-as-of').textContent !== old", arg=before
    )
    following = "typeof window.dash_clientside.midspan.tail()"
    page.evaluate("window.scrollTo(0, 600)")
    assert page.evaluate(following) != "number"
    page.evaluate("window.scrollTo(0, 0)")
    assert page.evaluate(following) == "number"


@pytest.mark.parametrize("path", [ERRORS, f"{LOG}?q=script", f"{LOG}?installation=%3Cb%3Einst"])
def test_hostile_texts_of_failures_are_only_texts(visit, path):
    page = visit(path)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.__owned") is None
    assert page.locator("main img, main script, main iframe").count() == 0
    assert page.locator("main a[href^='javascript']").count() == 0
    assert "\u202e" not in page.locator("main").inner_text()


@pytest.mark.parametrize("path", [ERRORS, LOG])
def test_a_phone_shows_failures_without_sideways_scrolling(visit, path):
    page = visit(path, width=390)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.wait_for_function(
        "() => [...document.querySelectorAll('.ag-body-horizontal-scroll-viewport')]"
        ".every(each => each.scrollWidth <= each.clientWidth + 1)"
    )


def test_a_list_is_narrowed_by_its_controls_and_the_address_says_so(visit):
    page = visit(LOG)
    page.get_by_role("textbox", name="Search").fill("script")
    page.wait_for_url("**q=script*")
    page.wait_for_function(
        "() => document.querySelectorAll('#exchanges-grid .ag-row').length === 1"
    )
    page.get_by_role("link", name="Clear").click()
    page.wait_for_url(re.compile(r"/exchanges\??$"))
    page.wait_for_function("() => document.querySelectorAll('#exchanges-grid .ag-row').length > 1")
    expect(page.locator("#exchanges-filter-q")).to_have_value("")


def test_an_address_that_asks_shows_in_the_controls(visit):
    page = visit(f"{LOG}?outcome=server_error&topic=issue.updated")
    expect(page.locator("#exchanges-filter-outcome")).to_have_value("5xx answer")
    expect(page.locator("#exchanges-filter-more")).to_have_text("More, 1 set")


def test_what_fires_is_marked_on_the_charts_and_a_click_away(visit):
    page = visit("/integrations/globex-issues", email=sample.GLOBEX)
    page.wait_for_selector("#chart-traffic .annotation-text:has-text('incident')", state="attached")
    assert "P1 incident" in page.locator("#health-firing").inner_text()
    page.click("#health-firing")
    page.wait_for_url("**/alerts?incident=*")
    page.wait_for_selector("#incident:visible")
    assert "82 % of webhooks" in page.locator("#incident h2").inner_text().replace("\u202f", " ")
