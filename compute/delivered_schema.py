"""Whether the columns and types of delivered files are those that a source declares (S37)."""

from collections.abc import Iterator

from definitions.columns import Column
from definitions.errors import SourceSchemaError, did_you_mean
from definitions.sources import Source
from definitions.types import type_named
from lakehouse.files.records import FOLDER_TEXT, Records

_NUMBERS = frozenset({"tinyint", "smallint", "int", "bigint", "decimal", "float", "double"})
_PARTS = _NUMBERS | {"string", "date", "timestamp_ntz"}
_NULLS = "void"  # a column that holds nothing but nulls


def require_columns(records: Records, source: Source) -> None:
    """Raises SourceSchemaError for a missing, renamed or differently typed column, before anything is written."""
    for column in source.columns:
        for name in column.delivered_names:
            if name not in records.types:
                raise SourceSchemaError(
                    f"source '{source.name}' at {records.path} has no column '{name}'."
                    f"{did_you_mean(name, records.types)} "
                    f"If the source was renamed or lost it, declare version={source.version + 1} of it."
                )
            if not records.is_text:  # text formats have text for every type
                _require_type(name, records, column, source)


def _require_type(name: str, records: Records, column: Column, source: Source) -> None:
    delivered = records.types[name]
    where = f"source '{source.name}' at {records.path}: column '{name}'"
    if delivered.split("(")[0] not in {*_accepted(column, source), _NULLS, FOLDER_TEXT}:
        raise SourceSchemaError(
            f"{where} is {delivered}, declared {_declared(column, source)}. Declare the type it has, as "
            f"version={source.version + 1} of the source, or correct the files."
        )
    if delivered == "timestamp_ntz" and column.type == "timestamp" and not column.zone:
        raise SourceSchemaError(
            f"{where} has local times; declare their zone: Column('{column.name}', 'timestamp', zone='…') (S3)."
        )


def _declared(column: Column, source: Source) -> str:
    if epoch := source.epoch_of(column):
        return f"{column.type} as a number of {epoch} since 1970"
    return f"part of {column.type} '{column.name}'" if column.combined else column.type


def _accepted(column: Column, source: Source) -> Iterator[str]:
    """The names, without precision, of the types that may be delivered."""
    if column.combined:
        yield from _PARTS
    elif source.epoch_of(column):
        yield from (*_NUMBERS, "string")
    else:
        yield from type_named(column.type).delivered_as
