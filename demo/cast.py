"""Who plays in the demo: eight partners, what they are called with, and what is wrong with each.

Facts only. How they add up at a moment is `demo.model`; rates are exchanges per second at the
busiest moment of a working day, latencies are milliseconds at the median.
"""

from dataclasses import dataclass, field

from app.domain.window import HOUR_US, MINUTE_US
from app.domain.words import Direction, Kind

PLATFORM = "Acme Cloud"


@dataclass(frozen=True, slots=True)
class Act:
    """One operation (`GET /v1/issues/{id}`) or topic of a flow.

    `weight` is its share among the others, `pace` multiplies the flow's latency. With `told` the
    caller names the operation in `Midspan-Operation`; otherwise Midspan has to find it.
    """

    name: str
    weight: float = 1.0
    pace: float = 1.0
    told: bool = False


@dataclass(frozen=True, slots=True)
class Flow:
    """Traffic of one direction and kind of one integration."""

    direction: Direction
    kind: Kind
    peak_per_second: float
    median_ms: float
    sigma: float
    acts: tuple[Act, ...]


@dataclass(frozen=True, slots=True)
class Episodes:
    """Something that comes and goes: at most once a slot, with a chance, for a while.

    `fixed` are (begin, end) relative to the start of the demo, so that a visitor sees one.
    """

    slot_us: int
    length_us: int
    chance: float
    fixed: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with an integration. Everything off by default.

    `slowdown` is by how much latency has grown at full load; `errors` is a ratio range of 500s
    while `error_episodes` last; `bursts` multiply the webhook rate by `burst_factor`; in `outages`
    connections are refused. Times `..._since_us` are relative to the start of the demo.
    """

    error_ratio: float = 0.001
    slowdown: float = 1.0
    errors: tuple[float, float] = (0.0, 0.0)
    error_episodes: Episodes | None = None
    burst_factor: float = 1.0
    bursts: Episodes | None = None
    outages: Episodes | None = None
    expired_since_us: int | None = None
    mute_since_us: int | None = None
    revoked_ratio: float = 0.0


@dataclass(frozen=True, slots=True)
class Role:
    """One integration and its partner, as registered and as behaving."""

    partner: str
    partner_name: str
    slug: str
    name: str
    category: str
    flows: tuple[Flow, ...]
    trouble: Trouble = field(default_factory=Trouble)
    visibility: str = "public"
    first_byte_ms: int = 5_000
    availability: float = 0.995
    threshold_ms: int = 800
    installations: int = 40


def _calls(peak: float, median_ms: float, *acts: Act, sigma: float = 0.45) -> Flow:
    return Flow(Direction.OUTBOUND, Kind.REQUEST, peak, median_ms, sigma, acts)


def _webhooks(peak: float, median_ms: float, *acts: Act, sigma: float = 0.5) -> Flow:
    return Flow(Direction.OUTBOUND, Kind.WEBHOOK, peak, median_ms, sigma, acts)


def _inbound(peak: float, *acts: Act) -> Flow:
    return Flow(Direction.INBOUND, Kind.REQUEST, peak, 38.0, 0.4, acts)


CAST: tuple[Role, ...] = (
    Role(
        "globex", "Globex", "globex-issues", "Globex Issues", "project-management",
        (
            _calls(1.8, 70, Act("GET /v1/issues/{id}", 6), Act("POST /v1/issues", 2, 1.9),
                   Act("POST /v1/issues/{id}/comments", 2, 1.4), Act("GET /v1/projects", 1, 0.8)),
            _webhooks(0.8, 55, Act("issue.created", 2), Act("issue.resolved", 1)),
            _inbound(1.0, Act("GET /v1/members"), Act("PUT /v1/issues/{id}/link", 2, 1.3)),
        ),
        installations=60,
    ),
    Role(
        "hooli", "Hooli", "hooli-sync", "Hooli Sync", "data",
        (
            _calls(2.0, 130, Act("GET /v2/records", 5, 1.2, told=True),
                   Act("PUT /v2/records/{key}", 3, 1.5, told=True),
                   Act("POST /v2/batches", 1, 2.6, told=True), sigma=0.5),
            _inbound(0.9, Act("GET /v1/exports/{id}", 1, 2.0), Act("POST /v1/exports", 1, 1.5)),
        ),
        Trouble(slowdown=7.0, error_ratio=0.002),
        first_byte_ms=4_000, threshold_ms=1_000,
    ),
    Role(
        "initech", "Initech", "initech-chat", "Initech Chat", "messaging",
        (
            _webhooks(0.9, 45, Act("message.posted", 5), Act("channel.created", 1),
                      Act("member.joined", 2)),
            _calls(0.6, 60, Act("POST /v1/channels/{id}/messages", 4, 1.2),
                   Act("GET /v1/channels", 1)),
        ),
        Trouble(
            burst_factor=9.0,
            bursts=Episodes(15 * MINUTE_US, 75_000_000, 0.85,
                            fixed=((45_000_000, 110_000_000), (6 * MINUTE_US, 7 * MINUTE_US))),
        ),
        installations=80,
    ),
    Role(
        "umbrella", "Umbrella", "umbrella-ci", "Umbrella CI", "continuous-integration",
        (
            _calls(1.6, 90, Act("POST /v1/builds", 2, 1.8), Act("GET /v1/builds/{id}", 6),
                   Act("GET /v1/builds/{id}/logs", 2, 2.4)),
            _webhooks(0.9, 80, Act("commit.pushed", 4), Act("release.tagged", 1)),
            _inbound(0.7, Act("PUT /v1/commits/{id}/status", 4), Act("GET /v1/repositories")),
        ),
        Trouble(
            error_ratio=0.004, errors=(0.03, 0.08),
            error_episodes=Episodes(25 * MINUTE_US, 9 * MINUTE_US, 0.75,
                                    fixed=((-7 * MINUTE_US, 14 * MINUTE_US),)),
        ),
    ),
    Role(
        "umbrella", "Umbrella", "umbrella-deploys", "Umbrella Deploys", "continuous-integration",
        (
            _calls(0.25, 160, Act("POST /internal/deploys", 1, 1.5),
                   Act("GET /internal/deploys/{id}", 2)),
        ),
        visibility="internal", installations=3,
    ),
    Role(
        "stark", "Stark", "stark-board", "Stark Board", "project-management",
        (
            _calls(1.5, 85, Act("GET /api/boards/{id}", 5), Act("POST /api/cards", 2, 1.5),
                   Act("PUT /api/cards/{id}", 3, 1.3)),
            _webhooks(0.6, 60, Act("card.moved", 3), Act("card.created", 1)),
        ),
        Trouble(
            outages=Episodes(8 * HOUR_US, 10 * MINUTE_US, 0.4,
                             fixed=((-52 * MINUTE_US, -42 * MINUTE_US),
                                    (8 * MINUTE_US, 18 * MINUTE_US))),
        ),
    ),
    Role(
        "wayne", "Wayne", "wayne-alerts", "Wayne Alerts", "incident-response",
        (_webhooks(0.5, 70, Act("alert.opened", 3), Act("alert.closed", 2)),
         _inbound(0.3, Act("POST /v1/alerts/{id}/acknowledge"))),
        Trouble(mute_since_us=-200 * MINUTE_US),
        first_byte_ms=2_000, installations=25,
    ),
    Role(
        "tyrell", "Tyrell", "tyrell-forms", "Tyrell Forms", "surveys",
        (
            _calls(0.8, 110, Act("POST /forms", 1, 1.6), Act("GET /forms/{id}/answers", 4)),
            _webhooks(0.4, 95, Act("form.published")),
            _inbound(0.5, Act("POST /v1/answers", 3, 1.2), Act("GET /v1/members")),
        ),
        Trouble(expired_since_us=-310 * MINUTE_US),
        installations=30,
    ),
    Role(
        "soylent", "Soylent", "soylent-crm", "Soylent CRM", "crm",
        (
            _calls(1.4, 120, Act("GET /v3/contacts/{id}", 5),
                   Act("PATCH /v3/contacts/{id}", 2, 1.4), Act("POST /v3/deals", 1, 1.8)),
            _webhooks(0.5, 75, Act("contact.updated", 3), Act("deal.won", 1)),
            _inbound(0.5, Act("GET /v1/contacts"), Act("POST /v1/contacts", 1, 1.4)),
        ),
        Trouble(revoked_ratio=0.2),
        installations=50,
    ),
)  # fmt: skip

BY_SLUG = {role.slug: role for role in CAST}


def first_of_partner() -> dict[str, Role]:
    """One role per partner, in order."""
    found: dict[str, Role] = {}
    for role in CAST:
        found.setdefault(role.partner, role)
    return found
