"""The chart in a mail: errors over time, as a picture. Pure: points in, PNG out."""

import io
from datetime import UTC
from math import isnan, nan
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import AutoDateLocator, DateFormatter
from matplotlib.figure import Figure

from app.domain.window import DAY_US as _DAY_US

_WIDTH_IN, _HEIGHT_IN, _DPI = 4.0, 1.4, 304
_INK, _GREY, _PALE, _LIMIT = "#b0300d", "#6b7280", "#d9dbe1", "#8a5a00"


def error_chart(chart: dict[str, Any]) -> bytes:
    """The error ratio of each step of `chart` (`alerts.evidence`), its last value written at the
    end of the line, what the objective allows as a dashed one. White, a card in a dark reader."""
    days = [start_us / _DAY_US for start_us, _, _, _ in chart["points"]]
    shares = [
        bad / exchanges * 100 if exchanges else nan for _, exchanges, bad, _ in chart["points"]
    ]
    figure = Figure(figsize=(_WIDTH_IN, _HEIGHT_IN), dpi=_DPI, facecolor="white")
    axes = figure.add_axes((0.02, 0.19, 0.83, 0.7))
    axes.plot(days, shares, color=_INK, linewidth=1.4)
    allowed = chart.get("allowed_ratio")
    if allowed is not None:
        axes.axhline(allowed * 100, color=_LIMIT, linewidth=0.8, linestyle=(0, (4, 3)))
        axes.annotate(
            f"objective {allowed * 100:g}\u202f%", (days[0], allowed * 100), (0, 3),
            textcoords="offset points", color=_LIMIT, fontsize=7,
        )  # fmt: skip
    seen = [(day, share) for day, share in zip(days, shares, strict=True) if not isnan(share)]
    if seen:
        axes.annotate(
            f" {seen[-1][1]:.1f}\u202f%", seen[-1], color=_INK, fontsize=8, va="center",
            annotation_clip=False,
        )  # fmt: skip
    axes.set_ylim(0, max([1.0, *(share for _, share in seen)]) * 1.1)
    axes.yaxis.set_visible(False)
    axes.spines[["top", "left", "right"]].set_visible(False)
    axes.spines["bottom"].set_color(_PALE)
    axes.tick_params(colors=_GREY, labelsize=7, length=0)
    axes.xaxis.set_major_locator(AutoDateLocator(minticks=3, maxticks=5))
    axes.xaxis.set_major_formatter(DateFormatter("%H:%M", tz=UTC))
    image = io.BytesIO()
    FigureCanvasAgg(figure).print_png(image)
    return image.getvalue()
