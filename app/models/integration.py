"""Integrations: what a partner builds, where it answers and what is expected of it.

Everything but the ids and times is a copy of the registry file; `app.commands.registry_import`
is its only writer. The small tables hold lists, in the order of the file.
"""

from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Double,
    ForeignKey,
    SmallInteger,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, words_type
from app.models.partner import Partner
from app.models.wire import WireRules


class Visibility(StrEnum):
    """Who may find an integration in the platform's directory."""

    PUBLIC = "public"
    UNLISTED = "unlisted"
    INTERNAL = "internal"


class Integration(Base):
    """What a partner builds."""

    __tablename__ = "integrations"
    __table_args__ = (
        CheckConstraint(
            "connect_ms > 0 AND first_byte_ms > 0 AND idle_ms > 0 AND total_ms > 0",
            name="timeouts_positive",
        ),
        CheckConstraint(
            "(requests_per_second IS NULL OR requests_per_second > 0)"
            " AND (burst IS NULL OR burst > 0) AND (concurrency IS NULL OR concurrency > 0)"
            " AND body_bytes > 0",
            name="limits_positive",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True, comment="Internal; never shown")
    partner_id: Mapped[int] = mapped_column(
        ForeignKey("partners.id"), index=True, comment="Who builds it"
    )
    slug: Mapped[str] = mapped_column(
        String(63), unique=True, comment="Its name in addresses, records and files; never reused"
    )
    name: Mapped[str] = mapped_column(String(200), comment="Its name, for people")
    visibility: Mapped[Visibility] = mapped_column(
        words_type(Visibility, "visibility"), comment="public, unlisted or internal"
    )
    category: Mapped[str | None] = mapped_column(String(63), comment="A word to group by")
    api_base_url: Mapped[str | None] = mapped_column(
        String(2000), comment="Where outbound requests go; NULL: none are sent"
    )
    webhook_url: Mapped[str | None] = mapped_column(
        String(2000), comment="Where webhooks go; NULL: none are sent"
    )
    allow_private_addresses: Mapped[bool] = mapped_column(
        comment="Whether the proxy may dial loopback and private addresses for it"
    )
    connect_ms: Mapped[int] = mapped_column(comment="Longest connect, milliseconds")
    first_byte_ms: Mapped[int] = mapped_column(
        comment="Longest wait for the first byte of an answer, milliseconds"
    )
    idle_ms: Mapped[int] = mapped_column(comment="Longest silence inside a body, milliseconds")
    total_ms: Mapped[int] = mapped_column(comment="Longest exchange, milliseconds")
    requests_per_second: Mapped[float | None] = mapped_column(
        Double, comment="Steady rate allowed; NULL: no limit"
    )
    burst: Mapped[int | None] = mapped_column(comment="Requests at once above the steady rate")
    concurrency: Mapped[int | None] = mapped_column(
        comment="Exchanges open at the same time; NULL: no limit"
    )
    body_bytes: Mapped[int] = mapped_column(BigInteger, comment="Largest body, bytes")
    created_us: Mapped[int] = mapped_column(
        BigInteger, comment="First imported, microseconds since 1970 UTC"
    )
    updated_us: Mapped[int] = mapped_column(
        BigInteger, comment="Last changed, microseconds since 1970 UTC"
    )
    removed_us: Mapped[int | None] = mapped_column(
        BigInteger, comment="Left the registry file then, microseconds; NULL: it is current"
    )

    partner: Mapped[Partner] = relationship(back_populates="integrations")
    wire: Mapped[WireRules | None] = relationship(viewonly=True)
    operations: Mapped[list["Operation"]] = relationship(
        order_by="Operation.position", viewonly=True
    )
    deprecated: Mapped[list["DeprecatedOperation"]] = relationship(
        order_by="DeprecatedOperation.position", viewonly=True
    )
    objectives: Mapped[list["Objective"]] = relationship(
        order_by="Objective.position", viewonly=True
    )
    funnel_steps: Mapped[list["FunnelStep"]] = relationship(
        order_by="FunnelStep.position", viewonly=True
    )
    funnel_deadlines: Mapped[list["FunnelDeadline"]] = relationship(viewonly=True)
    inference_rules: Mapped[list["InferenceRule"]] = relationship(
        order_by="InferenceRule.position", viewonly=True
    )
    list_source: Mapped["ListSource | None"] = relationship(viewonly=True)
    inbound_tokens: Mapped[list["InboundToken"]] = relationship(
        order_by="InboundToken.sha256", viewonly=True
    )


class Operation(Base):
    """A method and route template that an integration is known to use."""

    __tablename__ = "operations"
    __table_args__ = (UniqueConstraint("integration_id", "template"),)

    integration_id: Mapped[int] = mapped_column(
        ForeignKey("integrations.id", ondelete="CASCADE"), primary_key=True, comment="Whose"
    )
    position: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, comment="Order of matching, from 0"
    )
    template: Mapped[str] = mapped_column(
        String(300), comment="Such as POST /v1/issues/{id}/comments"
    )


class DeprecatedOperation(Base):
    """An operation that nobody should call any more; usage tells who still does."""

    __tablename__ = "deprecated_operations"
    __table_args__ = (UniqueConstraint("integration_id", "template"),)

    integration_id: Mapped[int] = mapped_column(
        ForeignKey("integrations.id", ondelete="CASCADE"), primary_key=True, comment="Whose"
    )
    position: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, comment="Order of showing, from 0"
    )
    template: Mapped[str] = mapped_column(String(300), comment="Such as GET /v1/old")


class Objective(Base):
    """A target over a window: availability, or latency where a threshold is set."""

    __tablename__ = "objectives"
    __table_args__ = (
        UniqueConstraint("integration_id", "name"),
        CheckConstraint("target > 0 AND target < 1", name="target_is_a_ratio"),
        CheckConstraint("window_us > 0", name="window_positive"),
        CheckConstraint("threshold_ms IS NULL OR threshold_ms > 0", name="threshold_positive"),
    )

    integration_id: Mapped[int] = mapped_column(
        ForeignKey("integrations.id", ondelete="CASCADE"), primary_key=True, comment="Whose"
    )
    position: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, comment="Order of showing, from 0"
    )
    name: Mapped[str] = mapped_column(String(63), comment="Its name within the integration")
    target: Mapped[float] = mapped_column(
        Double, comment="Least ratio of good to counted exchanges, between 0 and 1"
    )
    threshold_ms: Mapped[int | None] = mapped_column(
        comment="Good means answered within so many milliseconds; NULL: good means not failed"
    )
    window_us: Mapped[int] = mapped_column(
        BigInteger, comment="The rolling time it is measured over, microseconds"
    )


class FunnelStep(Base):
    """A stage of an integration's install funnel."""

    __tablename__ = "funnel_steps"
    __table_args__ = (UniqueConstraint("integration_id", "name"),)

    integration_id: Mapped[int] = mapped_column(
        ForeignKey("integrations.id", ondelete="CASCADE"), primary_key=True, comment="Whose"
    )
    position: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, comment="Order of the steps, from 0"
    )
    name: Mapped[str] = mapped_column(String(63), comment="Such as authorized")


class FunnelDeadline(Base):
    """How long one step of an integration's funnel may take; a step without a row has a day."""

    __tablename__ = "funnel_deadlines"
    __table_args__ = (CheckConstraint("deadline_us > 0", name="deadline_positive"),)

    integration_id: Mapped[int] = mapped_column(
        ForeignKey("integrations.id", ondelete="CASCADE"), primary_key=True, comment="Whose"
    )
    step: Mapped[str] = mapped_column(String(63), primary_key=True, comment="Which step")
    deadline_us: Mapped[int] = mapped_column(
        BigInteger, comment="Longest time after the step before, microseconds"
    )


class InferenceRule(Base):
    """An exchange that means a step: what is NULL may be anything."""

    __tablename__ = "inference_rules"
    __table_args__ = (
        CheckConstraint("operation IS NOT NULL OR topic IS NOT NULL", name="names_something"),
        CheckConstraint("status_from <= status_to", name="status_in_order"),
    )

    integration_id: Mapped[int] = mapped_column(
        ForeignKey("integrations.id", ondelete="CASCADE"), primary_key=True, comment="Whose"
    )
    position: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, comment="Order of trying, from 0"
    )
    direction: Mapped[int | None] = mapped_column(
        SmallInteger, comment="Code of app.domain.words.Direction"
    )
    operation: Mapped[str | None] = mapped_column(
        String(300), comment="Such as POST /oauth/token, as rollups name it"
    )
    topic: Mapped[str | None] = mapped_column(String(200), comment="Topic of a webhook")
    status_from: Mapped[int] = mapped_column(comment="Least HTTP status")
    status_to: Mapped[int] = mapped_column(comment="Greatest HTTP status")
    step: Mapped[str] = mapped_column(String(63), comment="What it means")


class ListSource(Base):
    """Where a partner's own list of its installations is pulled from."""

    __tablename__ = "list_sources"
    __table_args__ = (CheckConstraint("every_us > 0", name="every_positive"),)

    integration_id: Mapped[int] = mapped_column(
        ForeignKey("integrations.id", ondelete="CASCADE"), primary_key=True, comment="Whose"
    )
    url: Mapped[str] = mapped_column(String(2000), comment="Of its first page")
    token_file: Mapped[str | None] = mapped_column(
        String(1000), comment="Holds the token that is shown there, on the loader's machine"
    )
    every_us: Mapped[int] = mapped_column(BigInteger, comment="How often, microseconds")


class InboundToken(Base):
    """What a partner's calls to the platform are known by: the digest, never the token."""

    __tablename__ = "inbound_tokens"
    __table_args__ = (CheckConstraint("length(sha256) = 64", name="sha256_is_64_hex"),)

    sha256: Mapped[str] = mapped_column(
        String(64), primary_key=True, comment="SHA-256 of the token, lower-case hex"
    )
    integration_id: Mapped[int] = mapped_column(
        ForeignKey("integrations.id", ondelete="CASCADE"), index=True, comment="Whose"
    )
