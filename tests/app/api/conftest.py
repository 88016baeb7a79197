from collections.abc import Iterator

import pytest

from tests.app.web_world import World, copy_of, make_template


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    home = tmp_path_factory.mktemp("template") / "home"
    return home, make_template(home)


@pytest.fixture
def world(template, tmp_path) -> Iterator[World]:
    home, tokens = template
    made = World(copy_of(home, tmp_path / "home"), tokens)
    yield made
    made.close()
