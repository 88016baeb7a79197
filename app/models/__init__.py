"""The tables of the registry: partners, integrations, installations, people, tokens, alerts, audit.

Times are integers, microseconds since 1970 UTC, in columns that end in `_us`; so no time here can
lack its zone. Every column carries a comment, every closed vocabulary a CHECK. What the registry
file no longer names is kept with `removed_us` set: history stays readable, traffic stops.

It holds no rule beyond those constraints: `app.commands` writes, `app.queries` reads.
"""

from app.models.access import (
    ApiToken,
    IntegrationMembership,
    LoginLink,
    LoginSession,
    Membership,
    User,
)
from app.models.alert import (
    Alert,
    Delivery,
    Incident,
    Notification,
    PartnerRule,
    ReceiverTest,
    Silence,
)
from app.models.audit import AuditEntry
from app.models.base import Base
from app.models.benchmark import BenchmarkFigure
from app.models.billing import BilledEvent, ExchangeRate, PaymentDay, RevenueStep, Subscription
from app.models.error_group import ErrorGroupState
from app.models.installation import Installation
from app.models.integration import (
    DeprecatedOperation,
    FunnelDeadline,
    FunnelStep,
    InboundToken,
    InferenceRule,
    Integration,
    ListSource,
    Objective,
    Operation,
    Visibility,
)
from app.models.lifecycle import FunnelDay, LifecycleCursor, LifecycleEvent
from app.models.note import Note, NoteKind
from app.models.partner import Partner, PartnerContact
from app.models.platform import Platform, RegistryState
from app.models.report import ReportRefusal, WeeklyReport
from app.models.wire import WireRules
from app.models.witness import (
    InstallationFinding,
    InstallFailure,
    PartnerList,
    PartnerListItem,
    Reconciliation,
)

__all__ = [
    "Alert",
    "ApiToken",
    "AuditEntry",
    "Base",
    "BenchmarkFigure",
    "BilledEvent",
    "Delivery",
    "DeprecatedOperation",
    "ErrorGroupState",
    "ExchangeRate",
    "FunnelDay",
    "FunnelDeadline",
    "FunnelStep",
    "InboundToken",
    "Incident",
    "InferenceRule",
    "InstallFailure",
    "Installation",
    "InstallationFinding",
    "Integration",
    "IntegrationMembership",
    "LifecycleCursor",
    "LifecycleEvent",
    "ListSource",
    "LoginLink",
    "LoginSession",
    "Membership",
    "Note",
    "NoteKind",
    "Notification",
    "Objective",
    "Operation",
    "Partner",
    "PartnerContact",
    "PartnerList",
    "PartnerListItem",
    "PartnerRule",
    "PaymentDay",
    "Platform",
    "ReceiverTest",
    "Reconciliation",
    "RegistryState",
    "ReportRefusal",
    "RevenueStep",
    "Silence",
    "Subscription",
    "User",
    "Visibility",
    "WeeklyReport",
    "WireRules",
]
