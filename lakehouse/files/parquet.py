"""Parquet files: each read by its own schema, by Spark's own reader, one scan for all files of one schema (S1, S37).

Only INT96 finer than a microsecond, which Spark cuts in silence, and names that Spark takes for one another, are read
from a copy.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pyarrow.parquet as pq
from pyarrow import fs
from pyspark.sql import SparkSession
from pyspark.sql.pandas.types import from_arrow_type

from definitions.errors import SourceSchemaError
from lakehouse.files.file_set import FileSet
from lakehouse.files.parquet_copy import has_odd_int96
from lakehouse.files.parquet_footers import INT96, NESTED, NULLS, Footer, damage_named, read_footers
from lakehouse.files.parquet_groups import groups, is_read, meant
from lakehouse.files.parquet_scan import ParquetScan
from lakehouse.files.records import Records


def parquet_records(
    spark: SparkSession,
    source: str,
    path: str,
    delivery: FileSet,
    *,
    scratch: str,
    columns: Sequence[str] | None = None,
) -> tuple[Records, ...]:
    """The records of each group of files with the same types of the columns that are read. path: where they lie."""
    system = delivery.system
    footers = read_footers(source, system, delivery.files)
    if columns is None:
        footers = [_with_nested(source, system, footer) for footer in footers]
        _refuse_two_clocks(source, footers)
    with ThreadPoolExecutor() as pool:
        fine = pool.map(lambda footer: _has_odd_int96(source, system, footer, columns), footers)
        nanos = frozenset(footer.file.path for footer, is_fine in zip(footers, fine, strict=True) if is_fine)
    found = groups(source, footers, columns, nanos)
    scan = ParquetScan(spark, source, path, delivery, scratch)
    return tuple(scan.records(group, index, is_alone=len(found) == 1) for index, group in enumerate(found))


def _with_nested(source: str, system: fs.FileSystem, footer: Footer) -> Footer:
    """The types of all columns, those inside of nested ones too. Raises SourceSchemaError for one that has none."""
    if NESTED in footer.types.values():
        arrow = pq.read_schema(footer.file.path, filesystem=system)
        whole = {n: from_arrow_type(arrow.field(n).type, True).simpleString() for n in footer.types if n in arrow.names}
        footer = replace(footer, types={n: whole[n] if t == NESTED else t for n, t in footer.types.items()})
    for name, type_ in footer.types.items():
        if type_ != NULLS and not is_read(type_):
            raise SourceSchemaError(
                f"source '{source}': column '{name}' of {footer.file.shown} is {type_}, which Spark can't read. "
                "Leave it out, or write it as text."
            )
    return footer


def _refuse_two_clocks(source: str, footers: Sequence[Footer]) -> None:
    """Where no zone is declared, instants and local times of one column would be taken for the same."""
    clocks: dict[str, str] = {}
    for footer in footers:
        for name, type_ in footer.types.items():
            if meant(type_) in ("timestamp", "timestamp_ntz") and clocks.setdefault(name, meant(type_)) != meant(type_):
                raise SourceSchemaError(
                    f"source '{source}': column '{name}' of {footer.file.shown} is {meant(type_)}, in others it is "
                    f"{clocks[name]}; write it with a zone in all of them (S3)."
                )


def _has_odd_int96(source: str, system: fs.FileSystem, footer: Footer, columns: Sequence[str] | None) -> bool:
    names = [n for n, type_ in footer.types.items() if type_ == INT96 and (columns is None or n in columns)]
    with damage_named(source, footer.file):
        return bool(names) and has_odd_int96(system, footer.file.path, names)
