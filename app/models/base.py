"""The declarative base: naming of constraints, closed vocabularies, digests."""

from enum import StrEnum

from sqlalchemy import CheckConstraint, Enum, MetaData
from sqlalchemy.orm import DeclarativeBase

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """What every table of the registry inherits."""

    metadata = MetaData(naming_convention=NAMING)

    def __repr__(self) -> str:
        keys = ", ".join(str(key.name) for key in self.__mapper__.primary_key)
        values = ", ".join(str(getattr(self, key.name)) for key in self.__mapper__.primary_key)
        return f"<{type(self).__name__} {keys}={values}>"


def words_type(vocabulary: type[StrEnum], name: str) -> Enum:
    """A column that holds the words of `vocabulary`, as text with a CHECK called `name`."""
    return Enum(
        vocabulary,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=max(20, *(len(member.value) for member in vocabulary)),
        values_callable=lambda members: [member.value for member in members],
    )


def one_row() -> CheckConstraint:
    """The CHECK of a table that has exactly one row, whose id is 1."""
    return CheckConstraint("id = 1", name="one_row")
