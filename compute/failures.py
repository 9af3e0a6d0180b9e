"""Which expression of a view fails on which row, once a job has failed: Spark's own error names neither (S24).

A `Probe` is one expression over a frame. Each is evaluated alone; of the first that fails, the rows are halved by a
hash of their keys until one key is left.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from definitions.errors import ExpressionFailed, SourceError
from definitions.features import Feature
from kernels.operations.sum import SumOverflow

_STEPS = 32
_REASON = re.compile(r"\[([A-Z][A-Z_]+)(?:\.[A-Z_]+)*\] ([^\n]*)")
_IN_KERNEL = re.compile(r"SumOverflow: output '([^']*)': a sum of '([^']*)' leaves (int64|decimal\(38,0\))")
# What an expression that is allowed can fail with, and what to write instead.
_WAYS_OUT = {
    "ARITHMETIC_OVERFLOW": "write try_add, try_subtract or try_multiply, which give null, or cast first",
    "BINARY_ARITHMETIC_OVERFLOW": "write try_add, try_subtract or try_multiply, which give null, or cast first",
    "NUMERIC_VALUE_OUT_OF_RANGE": "write try_cast, try_add, try_subtract or try_multiply, which give null",
    "CAST_OVERFLOW": "write try_cast, which gives null",
    "CAST_INVALID_INPUT": "write try_cast, which gives null",
    "DIVIDE_BY_ZERO": "write try_divide, which gives null",
}


@dataclass(frozen=True)
class Probe:
    """An expression of one feature over the rows of a frame. text: as it was declared.

    is_quantum: it turns a value into whole quanta, so that what does not fit is too large to be added up.
    """

    feature: str
    text: str
    column: Column
    rows: DataFrame
    is_quantum: bool = False


def is_data_failure(error: BaseException) -> bool:
    """Whether a job failed on a value: on arithmetic, a cast or a sum, and not for want of a file or of memory."""
    return _IN_KERNEL.search(str(error)) is not None or any(name in str(error) for name in _WAYS_OUT)


def explained(probes: Iterable[Probe], *, where: str, keys: Sequence[str]) -> SourceError | None:
    """The error to raise instead: it names the view, the feature, a key and the way out; None where no probe fails.

    A sum that overflows names itself: see `sum_overflow`. where: how messages name the view. keys: the columns that
    name a row. Cost: a job per probe, and about thirty more for the one that fails.
    """
    for probe in probes:
        failure = _failure(probe.rows, probe.column)
        if failure is not None:
            try:
                key = _failing_key(probe, keys)
            except (PySparkException, Py4JError):  # the keys can't be read alone: the feature is named all the same
                key = ""
            return _error(probe, failure, where=where, key=key)
    return None


def sum_overflow(error: BaseException, features: Iterable[Feature], *, where: str) -> SumOverflow | None:
    """The overflow that ended a job of the window kernel, with the view's name and the input as it was declared."""
    found = _IN_KERNEL.search(f"SumOverflow: {error}" if isinstance(error, SumOverflow) else str(error))
    if found is None:
        return None
    name, limit = found[1], found[3]
    text = next((f.input.text for f in features if f.name == name and f.input), found[2])
    return SumOverflow(
        f"{where}, output '{name}': a sum of '{text}' leaves {limit}; declare a coarser quantum, or look for a wrong "
        "value in the source."
    )


def _error(probe: Probe, failure: str, *, where: str, key: str) -> SourceError:
    at = f", of the row with {key}" if key else ""
    if probe.is_quantum:
        return SumOverflow(
            f"{where}, feature '{probe.feature}': a value of '{probe.text}'{at}, does not fit int64 as whole quanta; "
            "declare a coarser quantum, or look for a wrong value in the source."
        )
    name, words = _reason(failure)
    way_out = _WAYS_OUT.get(name, "write a form that gives null where it can't be computed")
    return ExpressionFailed(
        f"{where}, feature '{probe.feature}': {probe.text} fails{at}: {words}; {way_out}, or correct the source."
    )


def _reason(failure: str) -> tuple[str, str]:
    """The name of Spark's error, and its first sentence without the advice, which names settings of Spark."""
    found = _REASON.search(failure)
    if found is None:
        return "", "it can't be computed"
    return found[1], found[2].split(". ")[0].rstrip(". ").split("; ")[0]


def _failure(rows: DataFrame, column: Column) -> str | None:
    """What evaluating the column in all rows fails with; None where it does not."""
    try:
        rows.agg(F.bit_xor(F.xxhash64(column))).collect()
    except (PySparkException, Py4JError) as error:
        return str(error)
    return None


def _failing_key(probe: Probe, keys: Sequence[str]) -> str:
    """A key of which a row fails, as `ride_id=7, …`; by halves of a hash of the keys that its frame has."""
    rows = probe.rows
    keys = [name for name in keys if name in rows.columns]
    if not keys:
        return ""
    bucket = F.xxhash64(*keys)
    for bit in range(_STEPS):
        halves = [rows.where(F.pmod(F.shiftright(bucket, bit), F.lit(2)) == half) for half in (0, 1)]
        rows = halves[0] if _failure(halves[0], probe.column) is not None else halves[1]
        few = rows.select(*keys).distinct().limit(2).collect()
        if len(few) <= 1:
            return ", ".join(f"{name}={value}" for name, value in few[0].asDict().items()) if few else ""
    return ""
