"""The OpenAPI document tells the truth: nothing it allows fails, nothing it forbids passes."""

import pytest

from tests.app.api.fuzz import fuzz, operations
from tests.app.web_world import some_traffic

pytestmark = pytest.mark.slow

EXAMPLES = 25


def test_every_operation_keeps_what_the_document_promises(world):
    world.load(some_traffic())
    headers = world.bearer("ecosystem")
    found = list(operations(world.app, headers))
    assert len(found) >= 8
    for operation in found:
        assert fuzz(operation, headers, EXAMPLES) > 0, operation.label
