"""What a registry file says, as values; equal values mean the same registry.

Lists whose order means nothing (partners, integrations, tokens, deadlines) are kept sorted.
"""

from dataclasses import dataclass, field

from app.domain.route import Breaker, CapturePolicy, Limits, Timeouts, TlsFiles
from app.domain.window import HOUR_US
from app.models import Visibility

#: How often a partner's own list is pulled.
LIST_EVERY_US = 6 * HOUR_US


@dataclass(frozen=True, slots=True)
class ObjectiveEntry:
    """One objective; `threshold_ms` None: availability, else latency."""

    name: str
    target: float
    window_us: int
    threshold_ms: int | None = None


@dataclass(frozen=True, slots=True)
class RampEntry:
    """A rate that grows over `over_us`; `since_us` None: from when the registry first sees it."""

    from_rate: float
    to_rate: float
    over_us: int
    since_us: int | None = None


@dataclass(frozen=True, slots=True)
class InferEntry:
    """An exchange that means a step of the funnel; what is None may be anything. Statuses from
    `status_from` to `status_to`; `direction` is a word."""

    step: str
    direction: str | None = None
    operation: str | None = None
    topic: str | None = None
    status_from: int = 200
    status_to: int = 299


@dataclass(frozen=True, slots=True)
class IntegrationEntry:
    """One integration. What the file leaves out has the default given here."""

    slug: str
    name: str
    visibility: Visibility = Visibility.PUBLIC
    category: str | None = None
    api_base_url: str | None = None
    webhook_url: str | None = None
    inbound_token_sha256: tuple[str, ...] = ()
    allow_private_addresses: bool = False
    timeouts: Timeouts = field(default_factory=Timeouts)
    limits: Limits = field(default_factory=Limits)
    operations: tuple[str, ...] = ()
    deprecated: tuple[str, ...] = ()
    objectives: tuple[ObjectiveEntry, ...] = ()
    funnel: tuple[str, ...] = ()
    funnel_deadlines: tuple[tuple[str, int], ...] = ()
    infer: tuple[InferEntry, ...] = ()
    ramp: RampEntry | None = None
    breaker: Breaker | None = field(default_factory=Breaker)
    paused: bool = False
    capture: CapturePolicy = CapturePolicy.SAMPLE
    tls: TlsFiles = field(default_factory=TlsFiles)
    installations_url: str | None = None
    installations_token_file: str | None = None
    installations_every_us: int = LIST_EVERY_US


@dataclass(frozen=True, slots=True)
class PartnerEntry:
    """One partner with its integrations."""

    slug: str
    name: str
    contacts: tuple[str, ...] = ()
    integrations: tuple[IntegrationEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class RegistryFile:
    """The whole file."""

    platform_name: str
    platform_api_base_url: str | None = None
    partners: tuple[PartnerEntry, ...] = ()
