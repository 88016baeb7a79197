"""How facts lie in a row of an installation."""

from app.models.facts import pack, unpack

__all__ = ["pack", "unpack"]
