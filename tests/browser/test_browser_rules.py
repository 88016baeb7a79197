"""The page of rules in a real browser: a rule written, mended, tried and saved."""

import sample
from playwright.sync_api import expect

TEXT, SAID = "#rules-text", "#rules-said"
TYPO = "name: by-hand\nkind: threshold\nmeasure: eror_ratio\nabove: 0.02\nwindow: 1h\n"
TOLD, BUSY_AT_ANY_HOUR = "#rules-told .ag-row", "globex-issues"


def press(page, button: str, begins: str) -> str:
    """Press a button of the form; what is said then."""
    page.click(f"#rules-text-{button}")
    page.wait_for_function(
        "([at, begins]) => document.querySelector(at).innerText.startsWith(begins)",
        arg=[SAID, begins],
    )
    return page.locator(SAID).inner_text()


def test_a_rule_is_written_mended_tried_saved_and_opened_again(visit):
    page = visit("/alerts/rules")
    page.wait_for_selector("#rules-grid .ag-row")
    assert "rules stand" in page.locator("#rules-sentence").inner_text()
    page.fill(TEXT, TYPO)
    said = press(page, "try", "line 3")
    assert "did you mean 'error_ratio'?" in said
    assert not page.locator("#rules-told").is_visible()
    page.fill(TEXT, TYPO.replace("eror", "error"))
    said = press(page, "try", "Would have fired")
    assert "not once" not in said
    expect(page.locator(TOLD, has_text=BUSY_AT_ANY_HOUR).first).to_be_visible()
    press(page, "save", "Saved: by-hand")
    row = page.locator("#rules-grid .ag-row", has_text="by-hand")
    row.first.wait_for()
    page.fill(TEXT, "")
    row.locator(".ag-checkbox-input").click()
    page.wait_for_function(
        "at => document.querySelector(at).value.includes('measure: error_ratio')", arg=TEXT
    )


def test_a_partner_writes_one_of_its_own_and_takes_it_away_on_a_telephone(visit):
    page = visit("/alerts/rules", sample.GLOBEX, width=390)
    page.wait_for_function(
        "() => document.querySelector('#rules-sentence').innerText.includes('your own')"
    )
    assert page.locator("#rules-grid .ag-row").count() == 0
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390
    page.fill(TEXT, TYPO.replace("eror", "error"))
    press(page, "save", "say once")
    page.fill(TEXT, TYPO.replace("eror", "error") + f"to: [{sample.GLOBEX}]\n")
    press(page, "save", "Saved: by-hand")
    page.locator("#rules-grid .ag-row", has_text="by-hand").first.wait_for()
    press(page, "remove", "Removed: by-hand")
    page.wait_for_function("() => document.querySelectorAll('#rules-grid .ag-row').length === 0")
