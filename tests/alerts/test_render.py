"""What stands in a mail: a field that a template names and nobody gave is an error, not a gap."""

from types import SimpleNamespace

import pytest
from jinja2 import UndefinedError

from alerts.render import render


@pytest.mark.parametrize("name", ["alert.txt", "alert.html", "weekly.txt", "weekly.html"])
def test_a_field_that_is_missing_is_named_and_nothing_is_rendered(name):
    with pytest.raises(UndefinedError, match="has no attribute"):
        render(name, SimpleNamespace())
