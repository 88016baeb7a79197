"""When an integration was in trouble, from the sums of steps."""

from collections.abc import Sequence

import numpy as np

from app.domain.episode import Episode, episodes
from app.domain.window import Window, ceil, floor
from app.queries.assessing import objectives_of, statuses
from app.queries.counting import Ints, Sums, add_up, fold_steps, part_of
from app.queries.results import IntegrationView, ObjectiveView
from app.store.port import Rollups

#: Exchanges that a step needs on average before it is judged; shorter steps are taken together.
_JUDGED = 30


def episodes_of(
    sums: Sums,
    objectives: tuple[ObjectiveView, ...],
    first_us: int,
    step_us: int,
    window: Window,
) -> list[Episode]:
    """The episodes of one integration, oldest first, judged over steps long enough to be judged;
    none when not even half of the window is."""
    steps = len(sums.good)
    eligible = int(sums.good.sum() + sums.bad.sum())
    together = max(1, -(-_JUDGED * steps // max(eligible, 1)))
    if together > steps // 2:
        return []
    judged = statuses(fold_steps(sums, together), objectives_of(objectives))
    return [_within(each, window) for each in episodes(judged, first_us, step_us * together)]


def lasting(views: Sequence[IntegrationView], rollups: Rollups, step_us: int) -> dict[str, Episode]:
    """The episode of each view that reaches the end of the window, by slug."""
    first_us = floor(rollups.window.start_us, step_us)
    size = (ceil(rollups.window.end_us, step_us) - first_us) // step_us
    row_of = {view.slug: row for row, view in enumerate(views)}
    owner = np.array([row_of[each.integration] for each in rollups.series], dtype=np.int64)
    groups: Ints = owner[rollups.series_index] * size + (rollups.t_us - first_us) // step_us
    sums = add_up(rollups, groups, len(views) * size)
    found: dict[str, Episode] = {}
    for row, view in enumerate(views):
        own = part_of(sums, row * size, (row + 1) * size)
        known = episodes_of(own, view.objectives, first_us, step_us, rollups.window)
        if known and known[-1].lasts:
            found[view.slug] = known[-1]
    return found


def _within(episode: Episode, window: Window) -> Episode:
    start_us = max(episode.window.start_us, window.start_us)
    end_us = min(episode.window.end_us, window.end_us)
    return Episode(Window(start_us, end_us), episode.status, episode.lasts, episode.whole)
