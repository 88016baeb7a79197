"""Letters as messages in a Slack channel: an incoming webhook, Block Kit within its limits."""

import json
from typing import Any

from alerts.notifiers.http import Request
from alerts.outbox import Letter
from alerts.wording import Words
from app.domain.receiver import Slack

#: Slack refuses a message whose header or text is longer, or that has more fields.
_HEADER, _TEXT, _FIELDS = 150, 3_000, 10


def slack_request(letter: Letter, said: Words, target: Slack) -> Request:
    """What is posted to a Slack hook."""
    headers = {"Content-Type": "application/json; charset=utf-8"}
    return Request(target.url, json.dumps(message(letter, said)).encode(), headers, target.private)


def message(letter: Letter, said: Words) -> dict[str, Any]:
    """The message. Its first block is called as the letter is: a second copy has the same id."""
    blocks: list[dict[str, Any]] = [
        {
            "type": "header",
            "block_id": letter.message_id[:255],
            "text": {"type": "plain_text", "text": _cut(said.headline, _HEADER), "emoji": False},
        },
        _section(_fit(said.lead)),
    ]
    if said.figures:
        fields = [
            _text(f"*{_fit(each.name)}*\n{_fit(each.now + each.beside)}")
            for each in said.figures[:_FIELDS]
        ]
        blocks.append({"type": "section", "fields": fields})
    if said.operations:
        blocks.append(_section(f"*Worst operations*\n{_fit(chr(10).join(said.operations), 2_900)}"))
    blocks += [_section(f"<{each.url}|{_fit(each.line, 1_000)}>") for each in said.samples]
    blocks.append({"type": "actions", "elements": [_button(said.incident_url)]})
    blocks.append({"type": "context", "elements": [_text(_fit(said.footer))]})
    return {"text": _fit(said.subject), "blocks": blocks, "unfurl_links": False}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _text(text)}


def _text(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text}


def _button(url: str) -> dict[str, Any]:
    text = {"type": "plain_text", "text": "Open the incident"}
    return {"type": "button", "text": text, "url": url, "style": "primary"}


def _fit(text: str, most: int = _TEXT) -> str:
    """`text` with what Slack reads as markup made plain, and no longer than `most`."""
    shown = _escaped(text)
    while len(shown) > most:
        text = _cut(text, len(text) * 9 // 10)
        shown = _escaped(text)
    return shown or " "


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}\N{HORIZONTAL ELLIPSIS}"
