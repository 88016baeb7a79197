"""Random changes to known streams, against the oracle: nothing may crash or be read differently.

Two million cases in process, four of five of them requests: each is read whole and split, written
anew, and read again by the oracle of the tests. The seed is fixed, so a finding can be found again.

    python -m bench.fuzz [cases]
"""

import sys
import time

from bench.common import report
from tests.collectors.proxy.hostile import fuzz

CASES = 2_000_000
ROUND = 100_000


def main() -> None:
    cases = int(sys.argv[1]) if len(sys.argv) > 1 else CASES
    begun, done, passed, crashes, differences = time.perf_counter(), 0, 0, [], []
    while done < cases:
        found = fuzz.run(min(ROUND, cases - done), seed=done)
        done += found.cases
        passed += found.passed
        crashes += found.crashes
        differences += found.differences
        print(f"{done:,} cases, {len(crashes)} crashes, {len(differences)} differences", flush=True)
    row = {
        "cases": done,
        "messages passed": passed,
        "crashes": len(crashes),
        "differences": len(differences),
        "cases/s": done / (time.perf_counter() - begun),
    }
    report("fuzz", [row], {"examples": [*crashes[:5], *differences[:5]]})
    if crashes or differences:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
