"""What Midspan observes about itself, with the OpenTelemetry SDK: metrics and traces of a process.

`configure` is called once at a process's start; `exposition` then renders the metrics as
Prometheus text. Metrics and traces leave the process only when `OTEL_EXPORTER_OTLP_ENDPOINT` is
set: the SDK reads that variable and its siblings itself. Before `configure` every call here keeps
nothing and costs about a microsecond.

It never fails the work it watches: an exporter that cannot deliver logs and drops. Label values
are words of this code and route templates, never what a caller sent, so series stay few.
"""

from app.telemetry.home import watch_home
from app.telemetry.instruments import (
    RequestSpan,
    count_events,
    count_login,
    count_mail,
    timed_query,
)
from app.telemetry.setup import configure, exposition

__all__ = [
    "RequestSpan",
    "configure",
    "count_events",
    "count_login",
    "count_mail",
    "exposition",
    "timed_query",
    "watch_home",
]
