"""How the proxy treats an integration's traffic, beyond its timeouts and limits.

One row for each integration, a copy of the registry file; `app.commands.registry_import` is its
only writer. An integration without a row has the defaults of `app.domain.route`.
"""

from sqlalchemy import BigInteger, CheckConstraint, Double, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.route import CapturePolicy
from app.models.base import Base, words_type


class WireRules(Base):
    """Queue, ramp, breaker, pause, capture and TLS files of one integration."""

    __tablename__ = "wire_rules"
    __table_args__ = (
        CheckConstraint("queue >= 0 AND queue_ms > 0", name="queue_positive"),
        CheckConstraint(
            "(ramp_from IS NULL) = (ramp_to IS NULL)"
            " AND (ramp_from IS NULL) = (ramp_over_us IS NULL)"
            " AND (ramp_from IS NULL) = (ramp_begun_us IS NULL)"
            " AND (ramp_since_us IS NULL OR ramp_from IS NOT NULL)",
            name="ramp_whole",
        ),
        CheckConstraint(
            "ramp_from > 0 AND ramp_to > ramp_from AND ramp_over_us > 0 AND ramp_begun_us >= 0",
            name="ramp_rising",
        ),
        CheckConstraint(
            "(breaker_error_ratio IS NULL) = (breaker_minimum IS NULL)"
            " AND (breaker_error_ratio IS NULL) = (breaker_window_us IS NULL)"
            " AND (breaker_error_ratio IS NULL) = (breaker_open_us IS NULL)"
            " AND (breaker_error_ratio IS NULL) = (breaker_probes IS NULL)",
            name="breaker_whole",
        ),
        CheckConstraint(
            "breaker_error_ratio > 0 AND breaker_error_ratio <= 1 AND breaker_minimum > 0"
            " AND breaker_window_us > 0 AND breaker_open_us > 0 AND breaker_probes > 0",
            name="breaker_positive",
        ),
        CheckConstraint(
            "client_key_file IS NULL OR client_cert_file IS NOT NULL", name="key_has_certificate"
        ),
    )

    integration_id: Mapped[int] = mapped_column(
        ForeignKey("integrations.id", ondelete="CASCADE"), primary_key=True, comment="Whose"
    )
    queue: Mapped[int] = mapped_column(comment="Requests that may wait for a place")
    queue_ms: Mapped[int] = mapped_column(comment="Longest wait for a place, milliseconds")
    ramp_from: Mapped[float | None] = mapped_column(
        Double, comment="Requests per second when the ramp begins; NULL: no ramp"
    )
    ramp_to: Mapped[float | None] = mapped_column(
        Double, comment="Requests per second when the ramp is over"
    )
    ramp_over_us: Mapped[int | None] = mapped_column(
        BigInteger, comment="How long the ramp takes, microseconds"
    )
    ramp_since_us: Mapped[int | None] = mapped_column(
        BigInteger, comment="When the file says it began, microseconds; NULL: it does not say"
    )
    ramp_begun_us: Mapped[int | None] = mapped_column(
        BigInteger, comment="When it began: as the file says, or first imported, microseconds"
    )
    breaker_error_ratio: Mapped[float | None] = mapped_column(
        Double, comment="Share of failures that opens the circuit; NULL: there is no breaker"
    )
    breaker_minimum: Mapped[int | None] = mapped_column(
        comment="Exchanges below which nothing is judged"
    )
    breaker_window_us: Mapped[int | None] = mapped_column(
        BigInteger, comment="The rolling time that is judged, microseconds"
    )
    breaker_open_us: Mapped[int | None] = mapped_column(
        BigInteger, comment="How long an open circuit lets nothing through, microseconds"
    )
    breaker_probes: Mapped[int | None] = mapped_column(
        comment="Good exchanges in a row that close the circuit"
    )
    paused: Mapped[bool] = mapped_column(comment="Whether nothing is let through")
    capture: Mapped[CapturePolicy] = mapped_column(
        words_type(CapturePolicy, "capture"), comment="sample, failures or none"
    )
    ca_file: Mapped[str | None] = mapped_column(
        String(1000), comment="Authorities to trust, a PEM file; NULL: the system's"
    )
    client_cert_file: Mapped[str | None] = mapped_column(
        String(1000), comment="Certificate to show, a PEM file; NULL: none"
    )
    client_key_file: Mapped[str | None] = mapped_column(
        String(1000), comment="Its key, a PEM file; NULL: it lies with the certificate"
    )
