"""What a join requires of a spine: a label time that is an instant, and keys of the histories' types."""

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql.types import AtomicType, DataType, DoubleType, FloatType, StructType, TimestampType

from definitions.errors import LabelTimeError, SpineColumnsError, SpineKeyError, did_you_mean
from pit_join.history import History, more_than_once

_TO_INSTANT = {
    "timestamp_ntz": "is a local time, so it names no instant: convert it once, in the zone it was read in, e.g. "
    "cast(concat({name}, ' America/New_York') as timestamp)",
    "string": "is text: convert it once, each text with its zone, e.g. cast('2017-11-30T00:00:00Z' as timestamp)",
    "date": "is a day, so it names no instant: say which instant of it is meant, e.g. "
    "cast(concat({name}, 'T00:00:00Z') as timestamp)",
}


def check_spine(spine: DataFrame, histories: Sequence[History], *, label_time: str, outputs: Sequence[str]) -> None:
    """Raises SpineColumnsError, LabelTimeError or SpineKeyError, each with the fix. Reads the schema alone.

    `outputs`: the columns that the join adds to the spine's.
    """
    schema = spine.schema
    _check_names(schema, outputs)
    _check_label_time(schema, label_time)
    for history in histories:
        for key, spine_key in zip(history.keys, history.joined_by, strict=True):
            _check_key(schema, history, key, spine_key)


def _check_names(schema: StructType, outputs: Sequence[str]) -> None:
    if twice := more_than_once(schema.names):
        raise SpineColumnsError(f"the spine has column '{twice}' twice; rename or drop one of them.")
    if twice := more_than_once(outputs):
        raise SpineColumnsError(f"two features would both be called '{twice}'; give the histories different names.")
    taken = {name.lower(): name for name in schema.names}
    for name in outputs:
        if column := taken.get(name.lower()):
            raise SpineColumnsError(
                f"the spine's column '{column}' has the name of a column that the join writes; rename or drop it."
            )


def _check_label_time(schema: StructType, name: str) -> None:
    if name not in schema.names:
        raise LabelTimeError(
            f"the spine has no column '{name}', the instant to join at; say which one with label_time=…."
            f"{did_you_mean(name, schema.names)}"
        )
    kind = schema[name].dataType
    if not isinstance(kind, TimestampType):
        type_name = kind.simpleString()
        why = _TO_INSTANT.get(type_name, "names no instant: make it a timestamp").format(name=name)
        raise LabelTimeError(f"the spine's label time '{name}' is {type_name}; it must be timestamp. It {why}.")


def _check_key(schema: StructType, history: History, key: str, spine_key: str) -> None:
    if spine_key not in schema.names:
        raise SpineKeyError(
            f"the spine has no column '{spine_key}', which {history.where} is joined by."
            f"{did_you_mean(spine_key, schema.names)}"
        )
    spine_type, history_type = schema[spine_key].dataType, history.type_of(key)
    for name, kind, where in ((spine_key, spine_type, "the spine"), (key, history_type, history.where)):
        _check_comparable(name, kind, where)
    if spine_type != history_type:
        wanted = history_type.simpleString()
        raise SpineKeyError(
            f"key '{spine_key}' is {spine_type.simpleString()} in the spine, but '{key}' is {wanted} in "
            f"{history.where}; cast the spine's: cast({spine_key} as {wanted})."
        )


def _check_comparable(name: str, kind: DataType, where: str) -> None:
    if isinstance(kind, FloatType | DoubleType):
        raise SpineKeyError(
            f"key '{name}' of {where} is {kind.simpleString()}, whose values are not exact; "
            "make it a whole number, a decimal or text on both sides (S17)."
        )
    if not isinstance(kind, AtomicType):
        raise SpineKeyError(f"key '{name}' of {where} is {kind.simpleString()}; join by its parts, one key for each.")
