"""People who look at pages: each click is the callbacks that a browser sends for it."""

import http.client
import json
import random
import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

from bench.store_fill import SLUGS

#: How long somebody looks at a page before the next click, seconds.
THINK_S = (2.0, 5.0)
WINDOWS = ("1h", "24h", "24h", "24h", "7d", "30d")
_UPDATE = "/_dash-update-component"
_LOCATION = frozenset({"location.pathname", "location.search"})
#: Callbacks of a page, by what their outputs are called.
_PAGES = {"": "overview-", "health": "health-", "exchanges": "exchanges-"}

Times = dict[str, list[float]]


class Person:
    """One browser with its session; its times go to a dictionary that all share."""

    def __init__(self, address: tuple[str, int], cookie: str, callbacks: list[Any], seed: int):
        self._address = address
        self._headers = {"Cookie": cookie, "Content-Type": "application/json",
                         "Accept-Encoding": "br"}  # fmt: skip
        self._callbacks = callbacks
        self._random = random.Random(seed)
        self._local = threading.local()
        self._pool = ThreadPoolExecutor(4)

    def click(self, times: Times) -> None:
        """Go somewhere, as a person would, and wait until all of it is there."""
        page, pathname = self._somewhere()
        search = f"?window={self._random.choice(WINDOWS)}"
        wanted = [each for each in self._callbacks if _belongs(each, page)]
        for name, took_ms in self._pool.map(lambda it: self._call(it, pathname, search), wanted):
            times[name].append(took_ms)

    def close(self) -> None:
        """Let its threads end."""
        self._pool.shutdown()

    def _somewhere(self) -> tuple[str, str]:
        slug = SLUGS[min(int(self._random.expovariate(1 / 25)), len(SLUGS) - 1)]
        page = self._random.choices(("", "health", "exchanges"), (3, 5, 2))[0]
        path = {"": "/", "health": f"/integrations/{slug}"}
        return page, path.get(page, f"/integrations/{slug}/exchanges")

    def _call(self, callback: Any, pathname: str, search: str) -> tuple[str, float]:
        body = json.dumps(_body(callback, {"pathname": pathname, "search": search}))
        begun = time.perf_counter()
        answer = self._answer(body)
        took_ms = (time.perf_counter() - begun) * 1000
        if answer.status not in (200, 204):
            raise RuntimeError(f"{answer.status} for {callback['output'][:80]}")
        return _name(callback), took_ms

    def _answer(self, body: str) -> http.client.HTTPResponse:
        """What the server says; a connection that it closed meanwhile is made anew, once."""
        try:
            return self._ask(body)
        except ConnectionError:
            self._local.connection = None
            return self._ask(body)

    def _ask(self, body: str) -> http.client.HTTPResponse:
        connection = self._connection()
        connection.request("POST", _UPDATE, body, self._headers)
        answer = connection.getresponse()
        answer.read()
        return answer

    def _connection(self) -> http.client.HTTPConnection:
        found: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if found is None:
            found = self._local.connection = http.client.HTTPConnection(*self._address, timeout=60)
        return found


def log_in(address: tuple[str, int], email: str, password: str) -> str:
    """The session cookie."""
    connection = http.client.HTTPConnection(*address, timeout=60)
    form = urlencode({"email": email, "password": password})
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/login", form, kind)
    answer = connection.getresponse()
    answer.read()
    return (answer.getheader("Set-Cookie") or "").partition(";")[0]


def callbacks_of(address: tuple[str, int], cookie: str) -> list[Any]:
    """What the browser is told: every callback that the server runs when a page opens."""
    connection = http.client.HTTPConnection(*address, timeout=60)
    connection.request("GET", "/_dash-dependencies", headers={"Cookie": cookie})
    found = json.loads(connection.getresponse().read())
    return [
        each
        for each in found
        if not each.get("clientside_function")
        and _LOCATION & {f"{it['id']}.{it['property']}" for it in each["inputs"]}
    ]


def crowd(people: list[Person], seconds: float, *, think: bool = True) -> Times:
    """Everybody clicks for so long; how long each callback took, in milliseconds, by its name."""
    times: Times = defaultdict(list)
    until = time.monotonic() + seconds

    def live(person: Person, seed: int) -> None:
        pause = random.Random(seed)
        time.sleep(pause.uniform(0, THINK_S[1]) if think else 0)
        while time.monotonic() < until:
            person.click(times)
            time.sleep(pause.uniform(*THINK_S) if think else 0)

    with ThreadPoolExecutor(len(people)) as pool:
        for done in [pool.submit(live, person, seed) for seed, person in enumerate(people)]:
            done.result()
    return times


def _belongs(callback: Any, page: str) -> bool:
    """Whether a browser sends it for that page: those whose outputs stand on it."""
    return _name(callback).startswith(("page.", "nav-", _PAGES[page]))


def _name(callback: Any) -> str:
    first: str = callback["output"].strip(".").split("...")[0]
    return first


def _body(callback: Any, values: dict[str, str]) -> dict[str, Any]:
    output = callback["output"]
    names = output.strip(".").split("...")
    outputs = [dict(zip(("id", "property"), name.rsplit(".", 1), strict=True)) for name in names]
    given = {
        part: [{**each, "value": values.get(each["property"])} for each in callback[part]]
        for part in ("inputs", "state")
    }
    return {
        "output": output,
        "outputs": outputs if output.startswith("..") else outputs[0],
        "changedPropIds": ["location.pathname", "location.search"],
        **given,
    }
