"""The names that traffic carries: installations, customers, paths, tokens."""

import json
from hashlib import sha256
from zlib import crc32

from demo.cast import Role

_CUSTOMERS = 240
_SENTENCES = (
    "The export stops after the third page.",
    "Steps to reproduce are attached.",
    "Moved to the next release, nobody is blocked by it.",
    "Works on my machine, fails behind the customer's proxy.",
    "Please look at it before the demo on Thursday.",
)


def installation(role: Role, number: int) -> str:
    """The platform's id of an installation."""
    return f"inst-{role.slug.split('-')[0]}-{number:03d}"


def customer(role: Role, number: int) -> str:
    """The customer of an installation; customers use several integrations."""
    return f"cust-{(number * 7 + crc32(role.slug.encode())) % _CUSTOMERS:03d}"


def grant(role: Role, number: int) -> str:
    """What the platform shows to the partner on behalf of an installation."""
    return f"grant-{role.slug}-{number}"


def granted(token: str) -> int | None:
    """The installation's number behind a grant; None if it is none."""
    number = token.rpartition("-")[2]
    return int(number) if number.isdigit() else None


def inbound_token(seed: int, role: Role) -> str:
    """The secret with which a partner's service calls the platform."""
    return f"demo-{role.slug}-{sha256(f'{seed}/{role.slug}'.encode()).hexdigest()[:24]}"


def split_act(name: str) -> tuple[str, str]:
    """Method and route template of an operation."""
    method, _, template = name.partition(" ")
    return method, template


def path_of(template: str, number: int) -> str:
    """A path of a route template, its parameters filled with something plausible."""
    return template.replace("{id}", str(10_000 + number % 90_000)).replace(
        "{key}", f"{number * 2_654_435_761 % 2**64:016x}"
    )


def payload(topic: str, installation_name: str, number: int) -> bytes:
    """A body of some 200 to 500 bytes, as the platform sends them."""
    first, length = number % len(_SENTENCES), 1 + number // 7 % 4
    text = " ".join((_SENTENCES * 2)[first : first + length])
    fields = {"type": topic, "installation": installation_name, "object": number, "text": text}
    return json.dumps(fields).encode()


def delivery(number: int) -> str:
    """The id of a webhook event, the same on every attempt."""
    return f"msg_{number & 0xFFFF_FFFF_FFFF_FFFF:016x}"
