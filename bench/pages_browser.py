"""What a browser makes of the pages: how soon the first is usable, what axe and Lighthouse say.

Each part is left out, with the reason, where its tool is not on the machine.
"""

import json
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"]
VISITS = 5
_OF_ONE = ("", "/errors", "/exchanges", "/installs", "/witnesses", "/usage", "/revenue")
PAGES = (
    "/", *(f"/integrations/{{slug}}{tab}" for tab in _OF_ONE), "/alerts", "/alerts/rules",
    "/settings", "/login",
)  # fmt: skip
_READY = "main .page:not(.loading)"


def look(base: str, email: str, password: str, slug: str, floor: str) -> dict[str, Any]:
    """Facts by name: milliseconds to the first usable page and to the one at `floor`, serious
    issues, scores."""
    if not Path(CHROMIUM).exists():
        return {"browser": f"left out: {CHROMIUM} is not installed"}
    from playwright.sync_api import sync_playwright

    with sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{base}/login")
        page.fill("input[name=email]", email)
        page.fill("input[name=password]", password)
        page.click("button[type=submit]")
        page.wait_for_selector(_READY, timeout=60_000)
        cookies = context.cookies()
        found: dict[str, Any] = {
            "first page usable, ms": _usable_ms(browser, base, cookies),
            "the same libraries with nothing to say, ms": _usable_ms(browser, floor, []),
        }
        found["serious issues (axe)"] = sum(
            _serious(page, base + path.format(slug=slug)) for path in PAGES
        )
        browser.close()
    return {**found, **_lighthouse(base, cookies, slug)}


def _usable_ms(browser: Any, base: str, cookies: list[Any]) -> float:
    """The median of some visits, each with an empty cache."""
    times = []
    for _ in range(VISITS):
        context = browser.new_context()
        context.add_cookies(cookies)
        page = context.new_page()
        begun = time.perf_counter()
        page.goto(f"{base}/", wait_until="commit")
        page.wait_for_selector(f"{_READY} .ag-row", timeout=60_000)
        times.append((time.perf_counter() - begun) * 1000)
        context.close()
    return round(sorted(times)[len(times) // 2], 0)


def _serious(page: Any, address: str) -> int:
    from axe_playwright_python.sync_playwright import Axe

    page.goto(address)
    page.wait_for_load_state("networkidle")
    found = Axe().run(page).response["violations"]
    return sum(each["impact"] in {"serious", "critical"} for each in found)


def _lighthouse(base: str, cookies: list[Any], slug: str) -> dict[str, Any]:
    program = shutil.which("lighthouse")
    if program is None:
        return {"lighthouse": "left out: npm install --global lighthouse brings it"}
    scores: dict[str, list[float]] = {}
    cookie = "; ".join(f"{each['name']}={each['value']}" for each in cookies)
    with tempfile.TemporaryDirectory() as folder:
        headers, report = Path(folder, "headers.json"), Path(folder, "report.json")
        headers.write_text(json.dumps({"Cookie": cookie}))
        for path in PAGES[:-1]:
            subprocess.run(
                [program, base + path.format(slug=slug), "--quiet", "--preset=desktop",
                 "--only-categories=accessibility,best-practices", "--output=json",
                 f"--output-path={report}", f"--extra-headers={headers}",
                 f"--chrome-flags={' '.join(FLAGS)}"],
                check=True, timeout=180, env={"PATH": "/usr/bin:/bin", "CHROME_PATH": CHROMIUM,
                                              "HOME": folder},
            )  # fmt: skip
            for name, category in json.loads(report.read_text())["categories"].items():
                scores.setdefault(name, []).append(category["score"] * 100)
    return {f"lighthouse {name}": min(found) for name, found in scores.items()}
