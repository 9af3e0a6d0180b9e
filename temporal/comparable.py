"""Values in a form that Spark can put in S9's order, for columns of any type; maps as sorted entries."""

from collections.abc import Callable

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, AtomicType, DataType, MapType, NullType, StructType, VariantType


def quoted(name: str) -> Column:
    """The top-level column of exactly this name, whatever dots and backticks are in it."""
    return F.col(f"`{name.replace('`', '``')}`")


def has_order(kind: DataType) -> bool:
    """Whether values of this type can be put in order at all: calendar intervals and variants can't."""
    match kind:
        case ArrayType():
            return has_order(kind.elementType)
        case MapType():
            return has_order(kind.keyType) and has_order(kind.valueType)
        case StructType():
            return all(has_order(field.dataType) for field in kind)
        case _:
            return isinstance(kind, AtomicType | NullType) and not isinstance(kind, VariantType)


def orderable(value: Column, kind: DataType) -> Column:
    """The value in a form that Spark's `max` and `order by` take: a map becomes its entries, sorted by key."""
    if isinstance(kind, MapType):
        return F.array_sort(F.transform(F.map_entries(value), lambda entry: _entry(entry, kind, orderable)))
    return _inside(value, kind, orderable)


def restored(value: Column, kind: DataType) -> Column:
    """The value again, from what `orderable` made of it."""
    if isinstance(kind, MapType):
        return F.map_from_entries(F.transform(value, lambda entry: _entry(entry, kind, restored)))
    return _inside(value, kind, restored)


_Convert = Callable[[Column, DataType], Column]


def _inside(value: Column, kind: DataType, convert: _Convert) -> Column:
    if not _has_map(kind):
        return value
    if isinstance(kind, ArrayType):
        return F.transform(value, lambda item: convert(item, kind.elementType))
    if isinstance(kind, StructType):
        parts = [convert(value.getField(field.name), field.dataType).alias(field.name) for field in kind]
        return F.when(value.isNotNull(), F.struct(*parts))
    return value


def _entry(entry: Column, kind: MapType, convert: _Convert) -> Column:
    return F.struct(entry.getField("key").alias("key"), convert(entry.getField("value"), kind.valueType).alias("value"))


def _has_map(kind: DataType) -> bool:
    match kind:
        case MapType():
            return True
        case ArrayType():
            return _has_map(kind.elementType)
        case StructType():
            return any(_has_map(field.dataType) for field in kind)
        case _:
            return False
