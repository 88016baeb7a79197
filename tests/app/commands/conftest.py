"""A small world for commands that need one."""

from tests.app.api.conftest import template, world  # noqa: F401 - fixtures are found by name
