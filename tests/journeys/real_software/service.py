"""A web service as many are: Flask under gunicorn. Says back what it was asked, and does what
clients expect of a service: ranges, compression, cookies, redirects, events.

It also answers like four vendors' APIs, as far as the SDKs need it.
"""

import gzip
import hashlib
import time
from collections.abc import Iterator
from typing import Any

from flask import Flask, Response, jsonify, make_response, request

app = Flask(__name__)
EVERY = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
FILE = b"".join(b"%07d\n" % line for line in range(12_500))


@app.route("/echo", methods=EVERY, provide_automatic_options=False)
@app.post("/hook")
def echo() -> Any:
    """What was asked, as a receiver reads it."""
    raw = request.get_data(cache=True, parse_form_data=False)
    return jsonify(
        method=request.method,
        target=request.full_path.rstrip("?"),
        headers=[list(pair) for pair in request.headers.items()],
        bytes=len(raw),
        sha256=hashlib.sha256(raw).hexdigest(),
        json=request.get_json(silent=True),
    )


@app.post("/form")
def form() -> Any:
    """The fields and files of a form."""
    files = {name: [each.filename, len(each.read())] for name, each in request.files.items()}
    return jsonify(fields=request.form.to_dict(), files=files)


@app.get("/file")
def file() -> Any:
    """A file with an entity tag, in parts if asked."""
    answer = make_response(FILE)
    answer.headers["Content-Type"] = "text/plain"
    answer.set_etag("v1")
    return answer.make_conditional(request, accept_ranges=True, complete_length=len(FILE))


@app.get("/gzip")
def packed() -> Any:
    """Compressed, as most answers are."""
    return Response(
        gzip.compress(FILE), headers={"Content-Encoding": "gzip", "Content-Type": "text/plain"}
    )


@app.get("/redirect")
def redirect() -> Any:
    """Somewhere else."""
    return Response(status=302, headers={"Location": "/elsewhere?token=abc"})


@app.get("/cookies")
def cookies() -> Any:
    """Two cookies, and those that came."""
    answer = jsonify(request.cookies.to_dict())
    answer.set_cookie("sid", "s-123", httponly=True)
    answer.set_cookie("theme", "dark")
    return answer


@app.get("/status/<int:status>")
def status(status: int) -> Any:
    """That status."""
    headers = {"Retry-After": "7"} if status in (429, 503) else {}
    return Response("said" if status != 204 else "", status, headers)


@app.get("/chunks/<int:count>")
def chunks(count: int) -> Any:
    """A body of unknown length."""
    return Response((b"%07d\n" % line for line in range(count)), mimetype="text/plain")


@app.get("/events/<int:count>")
def events(count: int) -> Any:
    """Server-sent events, one every 50 ms, each with the time at which it was sent."""

    def stream() -> Iterator[str]:
        for number in range(count):
            yield f"id: {number}\nevent: tick\ndata: {time.monotonic_ns()}\n\n"
            time.sleep(0.05)

    return Response(stream(), mimetype="text/event-stream")


# What the SDKs ask for.


@app.post("/stripe/v1/customers")
def stripe_customer() -> Any:
    """Stripe: a customer, from a form; declined for one address."""
    if request.form["email"] == "declined@example.com":
        error = {"type": "card_error", "code": "card_declined", "message": "Declined."}
        return jsonify(error=error), 402
    key = request.headers.get("Idempotency-Key", "")
    return jsonify(id="cus_1", object="customer", email=request.form["email"], description=key)


@app.get("/stripe/v1/customers")
def stripe_customers() -> Any:
    """Stripe: two pages of customers."""
    first = "starting_after" not in request.args
    items = [
        {"id": f"cus_{number}", "object": "customer"} for number in ((1, 2) if first else (3,))
    ]
    return jsonify(object="list", url="/v1/customers", has_more=first, data=items)


@app.post("/slack/api/<method>")
def slack(method: str) -> Any:
    """Slack: a message is posted; too many calls for another one."""
    if method == "chat.postMessage":
        sent = request.get_json(silent=True) or request.form.to_dict()
        return jsonify(ok=True, channel=sent["channel"], ts="1.2", message={"text": sent["text"]})
    if method == "conversations.list":
        return jsonify(ok=False, error="ratelimited"), 429, {"Retry-After": "3"}
    return jsonify(ok=False, error="unknown_method")


@app.route("/github/repos/acme/shop/issues", methods=["GET", "POST"])
def github_issues() -> Any:
    """GitHub: issues are listed, one is made."""
    base = f"{request.host_url}github/repos/acme/shop/issues"
    if request.method == "POST":
        return jsonify(number=8, title=request.get_json()["title"], url=f"{base}/8"), 201
    return jsonify([{"number": n, "title": f"issue {n}", "url": f"{base}/{n}"} for n in (6, 7)])


@app.get("/github/repos/acme/shop")
def github_repository() -> Any:
    """GitHub: a repository."""
    return jsonify(full_name="acme/shop", url="/repos/acme/shop", private=True)
