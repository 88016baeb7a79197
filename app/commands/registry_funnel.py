"""The part of a registry file that is about installs: steps, deadlines, and what means a step."""

from app.commands import registry_checks as check
from app.commands.event_fields import hint, shown
from app.commands.registry_fields import Fields, Problems
from app.commands.registry_values import InferEntry
from app.commands.yaml_tree import Node
from app.domain.funnel import DEFAULT_STEPS, STANDING_STEPS

MAX_STEPS = 20
MAX_RULES = 50
_RULE = ("when", "step")
_WHEN = ("direction", "operation", "topic", "status")
_DEADLINE = check.seconds(60, 366 * 86_400)
_SUCCESS = (200, 299)

Funnel = tuple[tuple[str, ...], tuple[tuple[str, int], ...], tuple[InferEntry, ...]]


def funnel(fields: Fields, problems: Problems) -> Funnel:
    """The `funnel`, `funnel_deadlines` and `infer` of an integration."""
    steps = fields.texts("funnel", check.step, MAX_STEPS)
    known = steps or DEFAULT_STEPS
    inner = fields.inner("funnel_deadlines", known)
    given = {step: inner.value(step, _DEADLINE, None) for step in sorted(known)}
    deadlines = tuple((step, long_us) for step, long_us in given.items() if long_us is not None)
    return steps, deadlines, _rules(fields, known, problems)


def _rules(fields: Fields, steps: tuple[str, ...], problems: Problems) -> tuple[InferEntry, ...]:
    nodes = fields.nodes("infer")
    if len(nodes) > MAX_RULES:
        problems.add(
            fields.line_of("infer"),
            f"'infer' has {len(nodes)} entries, at most {MAX_RULES} are allowed",
        )
    return tuple(_rule(node, steps, problems) for node in nodes[:MAX_RULES])


def _rule(node: Node, steps: tuple[str, ...], problems: Problems) -> InferEntry:
    fields = Fields(node, "rule of 'infer'", _RULE, problems, title="step")
    fields.require("when")
    when = fields.inner("when", _WHEN)

    def known(text: str) -> str:
        if text in steps or text in STANDING_STEPS:
            return text
        raise ValueError(unknown_step(text, steps))

    entry = InferEntry(
        fields.needed("step", known, ""),
        when.value("direction", check.direction, None),
        when.value("operation", check.operation, None),
        when.value("topic", check.topic, None),
        *when.value("status", check.statuses, _SUCCESS),
    )
    if fields.has("when") and not (when.has("operation") or when.has("topic")):
        problems.add(fields.line_of("when"), "'when' must name an 'operation' or a 'topic'")
    return entry


def unknown_step(text: str, steps: tuple[str, ...]) -> str:
    """What to say of a step that is none of the funnel's and none of every funnel's."""
    near = hint(text, [*steps, *sorted(STANDING_STEPS)])
    return f"unknown step {shown(text)}" + (near or f": the funnel has {', '.join(steps)}")
