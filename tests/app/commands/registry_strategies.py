"""Hypothesis strategies: registries that a file can describe."""

from dataclasses import replace

from hypothesis import strategies as st

from app.commands.registry_checks import METHODS
from app.commands.registry_values import (
    InferEntry,
    IntegrationEntry,
    ObjectiveEntry,
    PartnerEntry,
    RampEntry,
    RegistryFile,
)
from app.domain.funnel import DEFAULT_STEPS, STANDING_STEPS
from app.domain.operation import shape
from app.domain.route import (
    UNATTRIBUTED,
    Breaker,
    CapturePolicy,
    Limits,
    Timeouts,
    TlsFiles,
)
from app.domain.window import HOUR_US, SECOND_US
from app.models import Visibility

slugs = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,12}[a-z0-9])?", fullmatch=True).filter(
    lambda slug: slug != UNATTRIBUTED
)
words = st.from_regex(r"[a-z][a-z0-9_-]{0,12}", fullmatch=True).filter(
    lambda word: word not in STANDING_STEPS
)
names = (
    st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=30)
    .map(str.strip)
    .filter(bool)
)
hosts = st.from_regex(r"[a-z0-9]{1,8}(\.[a-z0-9]{1,8}){0,2}(:[1-9][0-9]{0,3})?", fullmatch=True)
base_urls = st.builds("{}://{}{}".format, st.sampled_from(["http", "https"]), hosts,
                      st.sampled_from(["", "/v1", "/a/b%20c", "/x~y"]))  # fmt: skip
mails = st.builds("{}@{}".format, words, slugs)
milliseconds = st.integers(1, 3_600_000)
segments = st.one_of(words, st.sampled_from(["{id}", "{name}", "v1", "{a}.json"]))
operations = st.lists(
    st.builds(
        lambda method, path: f"{method} /{'/'.join(path)}",
        st.sampled_from(METHODS),
        st.lists(segments, max_size=4),
    ),
    max_size=5,
    unique_by=shape,
)
objectives = st.lists(
    st.builds(
        ObjectiveEntry,
        name=words,
        target=st.floats(0.001, 0.999999),
        window_us=st.integers(HOUR_US // SECOND_US, 300 * 86_400).map(lambda s: s * SECOND_US),
        threshold_ms=st.none() | milliseconds,
    ),
    max_size=3,
    unique_by=lambda objective: objective.name,
)
limits = st.builds(
    Limits,
    requests_per_second=st.none() | st.floats(0.001, 99_999),
    burst=st.none() | st.integers(1, 1_000_000),
    concurrency=st.none() | st.integers(1, 100_000),
    body_bytes=st.integers(1, 2**40),
    queue=st.integers(0, 10_000),
    queue_ms=st.integers(1, 60_000),
)
seconds = st.integers(1, 3_600).map(lambda number: number * SECOND_US)
ramps = st.builds(
    RampEntry,
    from_rate=st.floats(0.001, 9),
    to_rate=st.floats(9.5, 99_999),
    over_us=seconds,
    since_us=st.none() | st.integers(0, 4_000_000_000).map(lambda number: number * SECOND_US),
)
breakers = st.builds(
    Breaker, st.floats(0.01, 1), st.integers(1, 1_000), seconds, seconds, st.integers(1, 100)
)
paths = st.from_regex(r"/[a-z./ -]{1,20}[a-z]", fullmatch=True)
tls_files = st.one_of(
    st.builds(TlsFiles, st.none() | paths, st.none() | paths),
    st.builds(TlsFiles, st.none() | paths, paths, paths),
)
timeouts = st.builds(Timeouts, milliseconds, milliseconds, milliseconds, milliseconds)


funnels = st.lists(words, max_size=4, unique=True).map(tuple)


def infer_entries(steps: tuple[str, ...]) -> st.SearchStrategy[InferEntry]:
    statuses = st.sampled_from([(200, 299), (201, 201), (404, 404), (500, 599)])
    return st.builds(
        lambda step, direction, named, status: InferEntry(step, direction, *named, *status),
        st.sampled_from([*(steps or DEFAULT_STEPS), *sorted(STANDING_STEPS)]),
        st.none() | st.sampled_from(["inbound", "outbound"]),
        st.sampled_from([("POST /oauth/{id}", None), (None, "app.installed"), ("GET /", "x y")]),
        statuses,
    )


def steps_and_more(steps: tuple[str, ...]) -> st.SearchStrategy[tuple]:
    deadlines = st.dictionaries(
        st.sampled_from(steps or DEFAULT_STEPS), st.integers(60, 86_400 * 9), max_size=3
    )
    return st.tuples(
        st.just(steps),
        deadlines.map(lambda of: tuple(sorted((s, n * SECOND_US) for s, n in of.items()))),
        st.lists(infer_entries(steps), max_size=3).map(tuple),
    )


def integrations(slug: str, tokens: list[str]) -> st.SearchStrategy[IntegrationEntry]:
    plain = plain_integrations(slug, tokens)
    return st.builds(with_funnel, plain, funnels.flatmap(steps_and_more), own_list())


def own_list() -> st.SearchStrategy[dict]:
    fields = {
        "installations_url": base_urls,
        "installations_token_file": st.none() | paths,
        "installations_every_us": st.integers(300, 86_400).map(lambda number: number * SECOND_US),
    }
    return st.just({}) | st.fixed_dictionaries(fields)


def with_funnel(entry: IntegrationEntry, more: tuple, listed: dict) -> IntegrationEntry:
    return replace(entry, funnel=more[0], funnel_deadlines=more[1], infer=more[2], **listed)


def plain_integrations(slug: str, tokens: list[str]) -> st.SearchStrategy[IntegrationEntry]:
    return st.builds(
        IntegrationEntry,
        slug=st.just(slug),
        name=names,
        visibility=st.sampled_from(Visibility),
        category=st.none() | names,
        api_base_url=st.none() | base_urls,
        webhook_url=st.none() | base_urls,
        inbound_token_sha256=st.just(tuple(sorted(tokens))),
        allow_private_addresses=st.booleans(),
        timeouts=timeouts,
        limits=limits,
        operations=operations.map(tuple),
        deprecated=operations.map(tuple),
        objectives=objectives.map(tuple),
        ramp=st.none() | ramps,
        breaker=st.none() | breakers,
        paused=st.booleans(),
        capture=st.sampled_from(CapturePolicy),
        tls=tls_files,
    )


@st.composite
def registry_files(draw: st.DrawFn) -> RegistryFile:
    """Any registry; partners and integrations sorted by slug, tokens unique."""
    partner_slugs = draw(st.lists(slugs, max_size=3, unique=True).map(sorted))
    integration_slugs = draw(st.lists(slugs, max_size=4, unique=True).map(sorted))
    tokens = draw(st.lists(st.integers(0, 2**256 - 1), max_size=6, unique=True))
    hexes = [f"{token:064x}" for token in tokens]
    owners = [
        draw(st.sampled_from(partner_slugs)) if partner_slugs else "" for _ in integration_slugs
    ]
    entries = {
        slug: draw(integrations(slug, hexes[index :: len(integration_slugs)]))
        for index, slug in enumerate(integration_slugs)
    }
    partners = tuple(
        PartnerEntry(
            slug=partner,
            name=draw(names),
            contacts=tuple(draw(st.lists(mails, max_size=2, unique=True))),
            integrations=tuple(
                entries[slug]
                for slug, owner in zip(integration_slugs, owners, strict=True)
                if owner == partner
            ),
        )
        for partner in partner_slugs
    )
    return RegistryFile(draw(names), draw(st.none() | base_urls), partners)
