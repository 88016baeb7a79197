"""The rules that stand when nobody wrote one (docs/alerts.md). A file takes the place of one by
its name.

Warnings that a circuit is about to open wait for longer than a budget that burns as fast takes to
be told: where there is an objective, that is the louder and the first word.
"""

from app.domain.alert import Patience
from app.domain.error_group import Standing
from app.domain.rule import (
    BurnRate,
    By,
    CircuitNear,
    CircuitOpen,
    FreshErrors,
    InstallsStuck,
    Own,
    OwnFault,
    PlatformOutage,
    Rule,
    Severity,
    Silence,
)
from app.domain.window import HOUR_US, MINUTE_US

DEFAULT_RULES = (
    Rule(
        "budget-burn",
        BurnRate(),
        Severity.P1,
        # Few exchanges fail with gaps. At a target of 99.5 % a budget that surely burns at P1 has
        # at least 4 bad ones an hour (at 99.9 % only 2, and longer gaps), so that a short window of
        # 5 min without one is no sign of an end; 20 min are.
        patience=Patience(keep_us=15 * MINUTE_US),
        description="An objective's budget is spent too fast",
    ),
    Rule(
        "silence",
        Silence(),
        Severity.P2,
        patience=Patience(keep_us=5 * MINUTE_US),
        description="Exchanges are expected or tried, and none is answered",
    ),
    Rule(
        "circuit-open",
        CircuitOpen(),
        Severity.P2,
        patience=Patience(for_us=MINUTE_US, keep_us=5 * MINUTE_US),
        description="The proxy has stopped calling an integration",
    ),
    *(
        Rule(
            f"circuit-near-{share}",
            CircuitNear(share / 100),
            severity,
            patience=Patience(minutes * MINUTE_US, 5 * MINUTE_US),
            description=f"{share} % of what opens an integration's circuit is used up",
        )
        for share, severity, minutes in (
            (50, Severity.P4, 20),
            (70, Severity.P3, 15),
            (90, Severity.P2, 10),
        )
    ),
    Rule(
        "error-regressed",
        FreshErrors(frozenset({Standing.REGRESSED})),
        Severity.P3,
        patience=Patience(15 * MINUTE_US, HOUR_US),
        description="An error that was resolved is back",
    ),
    Rule(
        "installs-stuck",
        InstallsStuck(),
        Severity.P3,
        patience=Patience(for_us=MINUTE_US, keep_us=HOUR_US),
        description="More installs than usual do not reach their next step in time",
    ),
    Rule(
        "platform-outage",
        PlatformOutage(),
        Severity.P1,
        By.MIDSPAN,
        patience=Patience(keep_us=5 * MINUTE_US),
        description="The platform fails its partners, or sends and takes nothing",
    ),
    *(
        Rule(
            f"midspan-{fault.value.replace('_', '-')}",
            OwnFault(fault),
            severity,
            By.MIDSPAN,
            patience=patience,
            description=description,
        )
        for fault, severity, patience, description in (
            (
                Own.SHED,
                Severity.P2,
                Patience(keep_us=5 * MINUTE_US),
                "Exchanges passed that could not be recorded",
            ),
            (
                Own.LOADER_BEHIND,
                Severity.P2,
                Patience(2 * MINUTE_US, 2 * MINUTE_US),
                "Pages and alerts lag behind the traffic",
            ),
            (
                Own.LOADER_GONE,
                Severity.P1,
                Patience(MINUTE_US, MINUTE_US),
                "Nothing is loaded: pages and alerts see no traffic",
            ),
            (
                Own.EVALUATION_LATE,
                Severity.P1,
                Patience(keep_us=MINUTE_US),
                "Rules were not evaluated in time",
            ),
            (
                Own.RULE_BROKEN,
                Severity.P3,
                Patience(),
                "A rule cannot be read or evaluated",
            ),
            (
                Own.CHANNEL_BROKEN,
                Severity.P2,
                Patience(keep_us=5 * MINUTE_US),
                "Notifications do not arrive",
            ),
        )
    ),
)
