"""What has to change for the registry to be as a file says: a comparison of values."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace

from app.commands.registry_values import IntegrationEntry, PartnerEntry, RegistryFile

#: The slug of the partner that an entry belongs to, and the entry.
Owned = tuple[str, PartnerEntry] | tuple[str, IntegrationEntry]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing to change. `thing` is platform, partner or integration; `verb` is added, changed
    or removed; `what` names the fields that differ."""

    thing: str
    verb: str
    slug: str
    what: str = ""

    def __str__(self) -> str:
        return f"{self.verb:<8} {self.thing} {self.slug}" + (f": {self.what}" if self.what else "")


def diff(current: RegistryFile | None, wanted: RegistryFile) -> list[Change]:
    """The changes, in an order in which they can be made; none when both say the same.

    The file is the whole truth: what is in `current` and not in `wanted` is removed.
    """
    before = current or RegistryFile("")
    return [
        *_platform(current, wanted),
        *_compare("partner", partners_of(before), partners_of(wanted)),
        *_compare("integration", integrations_of(before), integrations_of(wanted)),
    ]


def partners_of(file: RegistryFile) -> dict[str, tuple[str, PartnerEntry]]:
    """Partners by slug, without their integrations."""
    return {
        partner.slug: (partner.slug, replace(partner, integrations=())) for partner in file.partners
    }


def integrations_of(file: RegistryFile) -> dict[str, tuple[str, IntegrationEntry]]:
    """Integrations by slug, each with its partner's slug."""
    return {
        integration.slug: (partner.slug, integration)
        for partner in file.partners
        for integration in partner.integrations
    }


def _platform(current: RegistryFile | None, wanted: RegistryFile) -> Iterator[Change]:
    if current is None:
        yield Change("platform", "added", wanted.platform_name)
        return
    values = {
        "name": (current.platform_name, wanted.platform_name),
        "api_base_url": (current.platform_api_base_url, wanted.platform_api_base_url),
    }
    differing = [name for name, (before, after) in values.items() if before != after]
    if differing:
        yield Change("platform", "changed", wanted.platform_name, ", ".join(differing))


def _compare(
    thing: str, before: Mapping[str, Owned], after: Mapping[str, Owned]
) -> Iterator[Change]:
    for slug in sorted(after):
        if slug not in before:
            yield Change(thing, "added", slug)
        elif before[slug] != after[slug]:
            yield Change(thing, "changed", slug, _differences(before[slug], after[slug]))
    for slug in sorted(before.keys() - after.keys()):
        yield Change(thing, "removed", slug)


def _differences(before: Owned, after: Owned) -> str:
    moved = ["partner"] if before[0] != after[0] else []
    names = [field.name for field in fields(after[1])]
    return ", ".join(
        moved + [name for name in names if getattr(before[1], name) != getattr(after[1], name)]
    )
