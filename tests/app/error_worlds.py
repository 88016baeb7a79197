"""Failures of the small world, as the loader would have counted them."""

from app.domain import distinct
from app.domain.error_group import ErrorGroup, format_group, group_id
from app.domain.ids import exchange_id
from app.domain.window import HOUR_US, SECOND_US, floor
from app.domain.words import Fault, Outcome
from app.store.port import ErrorSum
from tests.app.web_world import CANARY, SLUGS
from tests.contract.worlds import NOW_US


def failing(
    at_us: int = NOW_US, number: int = 4, slug: str = SLUGS[0], message: str = "null value", **of
) -> ErrorSum:
    """`number` failures of one group in the second up to `at_us`."""
    plain = {
        "direction": 0, "kind": 0, "operation": "POST /v1/issues",
        "outcome": int(Outcome.SERVER_ERROR), "status": 500, "error": "",
    }  # fmt: skip
    group = ErrorGroup(integration=slug, message=message, **(plain | of))
    return ErrorSum(
        group, int(Fault.PARTNER), floor(at_us, HOUR_US), number, at_us - SECOND_US, at_us,
        exchange_id(at_us, 1, 1), f"{message} of row 17", distinct.sketch(["inst-1", "inst-2"]),
    )  # fmt: skip


def id_of(error: ErrorSum) -> str:
    return format_group(group_id(error.group))


def theirs(at_us: int = NOW_US) -> ErrorSum:
    """One of the other partner, every text a canary."""
    return failing(at_us, slug=SLUGS[2], message=CANARY, operation=f"POST /{CANARY}")
