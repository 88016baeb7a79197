"""The templates of what is mailed: text as it is, HTML escaped, and nothing missing in silence."""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

_templates = Environment(
    loader=PackageLoader("alerts"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(name: str, words: Any, **more: Any) -> str:
    """Template `name`, which says `words`."""
    return _templates.get_template(name).render(words=words, **more)
