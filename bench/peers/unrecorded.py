"""Midspan's proxy with its tap cut off: what is left is the cost of passing traffic on.

`python -m bench.peers.unrecorded` serves like `python -m collectors proxy`, but counts an exchange
and throws its record away before it is built. For `bench.proxy` only.
"""

import sys
from typing import Any

from app import settings
from collectors.proxy.run import main
from collectors.proxy.tap import Tap


def _discard(self: Tap, *_: Any, **__: Any) -> None:
    """Record nothing."""


if __name__ == "__main__":
    Tap.record = _discard  # type: ignore[method-assign]
    sys.exit(main(settings.load()))
