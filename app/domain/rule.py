"""Rules: what has to be true for somebody to be told, and how loudly. Values only.

A rule is written once and stands for one instance per series that it is `by`: each integration it
selects, each of their operations, each partner, or Midspan itself. `alerts.conditions` decides
about one instance; `app.domain.alert` is its life.
"""

from dataclasses import dataclass
from enum import StrEnum

from app.domain.alert import Patience
from app.domain.error_group import Standing
from app.domain.objective import Objective, burn_threshold
from app.domain.reconcile import Discrepancy
from app.domain.window import DAY_US, HOUR_US, MINUTE_US

#: Below so many exchanges that count, a ratio pages nobody.
MIN_EVENTS = 20
_NO_PATIENCE = Patience()


class Severity(StrEnum):
    """How loudly, loudest first: P1 and P2 wake somebody, P3 is for the day, P4 for the week."""

    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"


#: What wakes somebody.
WAKING = frozenset({Severity.P1, Severity.P2})


class By(StrEnum):
    """What one instance of a rule is about."""

    INTEGRATION = "integration"
    OPERATION = "operation"
    PARTNER = "partner"
    MIDSPAN = "midspan"


class Measure(StrEnum):
    """The numbers of docs/numbers.md that a threshold can be set on. Latencies are milliseconds."""

    PROXIED = "proxied"
    BAD = "bad"
    EXCLUDED = "excluded"
    SHED = "shed"
    ERROR_RATIO = "error_ratio"
    P50 = "p50"
    P95 = "p95"
    P99 = "p99"


#: Measures in milliseconds.
LATENCIES = frozenset({Measure.P50, Measure.P95, Measure.P99})


class Side(StrEnum):
    """On which side of what is usual a number is odd."""

    ANY = "any"
    ABOVE = "above"
    BELOW = "below"


class Own(StrEnum):
    """What can be wrong with Midspan itself."""

    SHED = "shed"
    LOADER_BEHIND = "loader_behind"
    LOADER_GONE = "loader_gone"
    EVALUATION_LATE = "evaluation_late"
    RULE_BROKEN = "rule_broken"
    CHANNEL_BROKEN = "channel_broken"


@dataclass(frozen=True, slots=True)
class Selector:
    """Which integrations. An empty field selects all; several select what fits every one."""

    integrations: frozenset[str] = frozenset()
    partners: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    visibilities: frozenset[str] = frozenset()

    def takes(self, integration: str, partner: str, category: str | None, visibility: str) -> bool:
        """Whether an integration of these is selected."""
        return (
            (not self.integrations or integration in self.integrations)
            and (not self.partners or partner in self.partners)
            and (not self.categories or (category or "") in self.categories)
            and (not self.visibilities or visibility in self.visibilities)
        )


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number of docs/numbers.md beyond a limit over a window, from so many exchanges on.

    Exactly one of `above` and `below` is set. A ratio counts as above only when the lower end of
    its 95 % interval is.
    """

    measure: Measure
    window_us: int
    above: float | None = None
    below: float | None = None
    minimum: int = MIN_EVENTS


@dataclass(frozen=True, slots=True)
class BurnRate:
    """An objective's budget spent too fast: of every objective, or of the one called `objective`.

    True when the burn rate is above `BurnWindow.factor` over both the long and the short window.
    """

    objective: str | None = None
    minimum: int = MIN_EVENTS


@dataclass(frozen=True, slots=True)
class Silence:
    """No exchange was answered over `window_us` although at least `minimum` were expected, by what
    the platform tried to send, or by the same hours of the weeks before."""

    window_us: int = 15 * MINUTE_US
    minimum: int = MIN_EVENTS


@dataclass(frozen=True, slots=True)
class Anomaly:
    """A number of the last hour, from `minimum` exchanges on, that is further from what the same
    hours of past weeks had than `deviations` times their robust spread, and than `change_ratio`
    of it (`alerts.anomaly`)."""

    measure: Measure
    side: Side = Side.ANY
    deviations: float = 6.0
    change_ratio: float = 0.5
    minimum: int = MIN_EVENTS


@dataclass(frozen=True, slots=True)
class CircuitOpen:
    """The proxy refuses to call the integration because too much of it fails."""


@dataclass(frozen=True, slots=True)
class CircuitNear:
    """Of the platform's calls over `window_us`, from `minimum` on, such a share fails that at least
    `used_ratio` of what opens the integration's circuit is used up, and it is not open yet."""

    used_ratio: float
    window_us: int = 5 * MINUTE_US
    minimum: int = MIN_EVENTS


@dataclass(frozen=True, slots=True)
class FreshErrors:
    """An error group of one of these `standings` goes on: from `minimum` exchanges within the hours
    that `window_us` touches."""

    standings: frozenset[Standing] = frozenset({Standing.NEW, Standing.REGRESSED})
    window_us: int = HOUR_US
    minimum: int = MIN_EVENTS


@dataclass(frozen=True, slots=True)
class InstallsStuck:
    """Of the installs whose next step was due over `window_us`, at least `minimum` have not come to
    it, and a greater share than in the four weeks before (more than half, where those say
    nothing)."""

    window_us: int = DAY_US
    minimum: int = 3


@dataclass(frozen=True, slots=True)
class FunnelDrop:
    """Of the installs that entered over `window_us` and have had `within_us` since, from `minimum`
    on, a share was activated in that time that is surely by `drop_ratio` smaller than that of the
    four weeks before."""

    window_us: int = 7 * DAY_US
    within_us: int = DAY_US
    drop_ratio: float = 0.3
    minimum: int = MIN_EVENTS


@dataclass(frozen=True, slots=True)
class Contradictions:
    """At least `minimum` installations of which platform, wire and billing tell different stories,
    of these kinds."""

    findings: frozenset[Discrepancy] = frozenset(Discrepancy)
    minimum: int = 1


@dataclass(frozen=True, slots=True)
class RevenueAtRisk:
    """The MRR of the installations that met more failures than allowed on the days (UTC) that
    `window_us` touches is above `above_minor`, in minor units of `currency`."""

    above_minor: int
    currency: str
    window_us: int = DAY_US


@dataclass(frozen=True, slots=True)
class PlatformOutage:
    """The platform itself is down or cut off: of all partners' exchanges over `window_us` at
    least half failed by its fault, or none at all was seen of the `minimum` that were expected.
    While this fires, the silence of single integrations is explained and tells nobody."""

    window_us: int = 5 * MINUTE_US
    minimum: int = MIN_EVENTS


@dataclass(frozen=True, slots=True)
class OwnFault:
    """Something is wrong with Midspan itself."""

    fault: Own


_KINDS = {
    Threshold: "threshold",
    BurnRate: "burn_rate",
    Silence: "silence",
    Anomaly: "anomaly",
    CircuitOpen: "circuit_open",
    CircuitNear: "circuit_near",
    FreshErrors: "error_group",
    InstallsStuck: "installs_stuck",
    FunnelDrop: "funnel_drop",
    Contradictions: "reconciliation",
    RevenueAtRisk: "revenue_at_risk",
    PlatformOutage: "platform_outage",
    OwnFault: "midspan",
}

Condition = (
    Threshold
    | BurnRate
    | Silence
    | Anomaly
    | CircuitOpen
    | CircuitNear
    | FreshErrors
    | InstallsStuck
    | FunnelDrop
    | Contradictions
    | RevenueAtRisk
    | PlatformOutage
    | OwnFault
)


@dataclass(frozen=True, slots=True)
class Override:
    """Another condition or patience for some of the integrations that a rule selects."""

    only: Selector
    condition: Condition
    patience: Patience


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `name` is unique; `runbook` is an https URL or empty; the first override that
    takes an integration holds for it. A `BurnRate` takes its severity from the window that burns,
    and `severity` is the loudest that it may have."""

    name: str
    condition: Condition
    severity: Severity
    by: By = By.INTEGRATION
    only: Selector = Selector()
    patience: Patience = _NO_PATIENCE
    overrides: tuple[Override, ...] = ()
    description: str = ""
    runbook: str = ""

    @property
    def kind(self) -> str:
        """What sort of condition it has, as a rule file names it."""
        return _KINDS[type(self.condition)]

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Its own condition and those of its overrides."""
        return (self.condition, *(each.condition for each in self.overrides))


@dataclass(frozen=True, slots=True)
class BurnWindow:
    """One row of the SRE workbook's table: spending `budget_ratio` of the budget within `long_us`
    is worth `severity`; the short window says that it still goes on."""

    severity: Severity
    budget_ratio: float
    long_us: int
    short_us: int

    def factor(self, objective: Objective) -> float:
        """The burn rate that spends it, for the objective's own window."""
        return burn_threshold(self.budget_ratio, objective.window_us, self.long_us)


#: *The Site Reliability Workbook* (2018), chapter 5, table 5-8. Its factors (14.4, 6, 3, 1) are
#: for 30 days; here each objective's own window makes them.
BURN_WINDOWS = (
    BurnWindow(Severity.P1, 0.02, HOUR_US, 5 * MINUTE_US),
    BurnWindow(Severity.P2, 0.05, 6 * HOUR_US, 30 * MINUTE_US),
    BurnWindow(Severity.P3, 0.10, DAY_US, 2 * HOUR_US),
    BurnWindow(Severity.P4, 0.10, 3 * DAY_US, 6 * HOUR_US),
)
