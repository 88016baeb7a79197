"""What the wire says of installations: their activity, summed over the days."""

from typing import Any

import numpy as np

from app.domain.reconcile import Wire
from app.domain.words import Direction, Kind
from app.store.activity import Activity

#: Later than anything: the year 2100.
EVER_US = 4_102_444_800_000_000


def wires(activity: Activity) -> dict[str, Wire]:
    """What crossed for each installation, summed over the days. All of one integration."""
    size = len(activity.installations)
    webhook = (activity.direction == Direction.OUTBOUND) & (activity.kind == Kind.WEBHOOK)
    call = activity.direction == Direction.INBOUND
    request = (activity.direction == Direction.OUTBOUND) & (activity.kind == Kind.REQUEST)
    columns = (
        _sum(activity, webhook, activity.exchanges, size),
        _first(activity, webhook, activity.first_us, size),
        _last(activity, webhook, activity.last_us, size),
        _sum(activity, webhook, activity.good, size),
        _first(activity, webhook, activity.first_good_us, size),
        _sum(activity, call, activity.exchanges, size),
        _first(activity, call, activity.first_us, size),
        _last(activity, call, activity.last_us, size),
        _last(activity, request, activity.last_us, size),
    )
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return dict(zip(activity.installations, map(Wire._make, rows), strict=True))


def _sum(activity: Activity, mask: Any, values: Any, size: int) -> Any:
    found = np.zeros(size, np.int64)
    np.add.at(found, activity.who[mask], values[mask])
    return found


def _first(activity: Activity, mask: Any, values: Any, size: int) -> Any:
    mask = mask & (values > 0)
    found = np.full(size, EVER_US)
    np.minimum.at(found, activity.who[mask], values[mask])
    return np.where(found == EVER_US, 0, found)


def _last(activity: Activity, mask: Any, values: Any, size: int) -> Any:
    found = np.zeros(size, np.int64)
    np.maximum.at(found, activity.who[mask], values[mask])
    return found
