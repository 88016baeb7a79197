"""The registry fixtures of tests/app: what takes `engine` runs on both databases."""

from tests.app.api.conftest import template, world  # noqa: F401 - fixtures are found by name
from tests.app.conftest import (  # noqa: F401 - fixtures are found by name
    engine,
    postgres_registries,
    registries,
    registry_server,
    registry_url,
    sqlite_registries,
)
