"""Three days with everything planted that the rules out of the box should find, minute by minute.

`make bench-alert-truth` is the month of 40 incidents.
"""

import numpy as np
import pytest

from app.domain.rule import WAKING
from bench.alert_truth import Post, Truth, judge
from bench.truth_world import ALLOWED, DAY, Incident, TruthWorld

INCIDENTS = (
    Incident("hard outage", 3, 500, 40, share=1.0),
    Incident("hard outage", 2, DAY + 600, 30, share=1.0, answered=False),
    Incident("one operation", 4, 700, 150, share=0.3),
    Incident("silence", 8, 2 * DAY + 600, 90, volume=0.0),
    Incident("retry storm", 5, DAY + 700, 40, share=0.4, volume=6.0),
    Incident("flapping", 6, 2 * DAY + 700, 120, share=0.8, turn=5),
    Incident("slow burn", 7, 300, 1_500, share=4.5 * ALLOWED),
    Incident("platform outage", None, 2 * DAY + 300, 30, 0.95, platform=True),
)


@pytest.fixture(scope="module")
def truth() -> Truth:
    world = TruthWorld(3, np.geomspace(2, 30, 9).tolist(), INCIDENTS, seed=3)
    post = Post(world)
    post.run()
    return judge(world, post.mails)


def test_every_incident_is_found_within_what_its_burn_rate_promises(truth):
    late = [row for row in truth.found if not 0 <= row["found after min"] <= row["promised min"]]
    assert late == []
    assert len(truth.found) == len(INCIDENTS)


def test_each_is_told_once_to_each_audience_and_once_that_it_is_over(truth):
    assert [row for row in truth.found if not row["once"]] == []


def test_nobody_is_woken_for_nothing(truth):
    assert [mail for mail in truth.false if mail.severity in WAKING] == []
