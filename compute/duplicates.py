"""What a look-up takes where a key has several newest facts: the latest, any true one, or an error (S13)."""

import re

from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from definitions.errors import SourceError
from definitions.views import Duplicates, Lookup

_REFUSED = "LOOKUP_REFUSED"


def may_repeat(lookup: Lookup) -> bool:
    """Whether a key can have several newest facts: not where the key includes the whole identity of a fact."""
    identity = lookup.source.root.identity
    return not identity or not set(identity) <= set(lookup.on)


def may_be_refused(lookup: Lookup) -> bool:
    """Whether evaluating what a look-up takes can fail the job: see `refusal`."""
    return lookup.duplicates is Duplicates.REFUSE and may_repeat(lookup)


def resolved(facts: DataFrame, lookup: Lookup, *, by: list[str]) -> DataFrame:
    """One row per `by`, with the columns `_taken`, whether that is a tombstone (`_gone`), and the number of `_facts`.

    facts: with `_gone` and `_order`, S9's order, whose greatest is the latest. Cost: a shuffle, unless no key can have
    several facts.
    """
    if not may_repeat(lookup):
        return facts.select(*by, F.struct(*lookup.take).alias("_taken"), "_gone", F.lit(1).alias("_facts"))
    taken, gone = F.max_by(F.struct(*lookup.take), "_order"), F.bool_or("_gone")
    if lookup.duplicates is Duplicates.ANY_TRUE:
        taken = F.struct(*[F.bool_or(c).alias(c) for c in lookup.take])
    elif lookup.duplicates is Duplicates.LATEST:
        gone = F.max_by("_gone", "_order")
    # A tombstone ends its entity, so that the other facts of its instant don't count as duplicates.
    alive = F.count_if(F.col("_gone") == F.lit(False))
    return facts.groupBy(*by).agg(taken.alias("_taken"), gone.alias("_gone"), alive.alias("_facts"))


def value(column: str, lookup: Lookup) -> Column:
    """The value of a taken column, null for a tombstone. Evaluating it fails the job where duplicates are refused."""
    taken = F.when(F.col("_gone") == F.lit(False), F.col(f"_taken.{column}"))
    if not may_be_refused(lookup):
        return taken
    key = F.concat_ws(", ", *[F.concat(F.lit(f"{name}="), F.col(name).cast("string")) for name in lookup.on])
    message = F.concat(
        F.lit(f"{_REFUSED}: the look-up of '{lookup.source.name}' found "),
        F.col("_facts").cast("string"),
        F.lit(" facts for the key ("),
        key,
        F.lit(")."),
    )
    return F.when((F.col("_facts") > 1) & (F.col("_gone") == F.lit(False)), F.raise_error(message)).otherwise(taken)


def refusal(error: PySparkException) -> SourceError | None:
    """The error to raise for a job that failed since a look-up refused duplicates; None if it failed otherwise."""
    match = re.search(rf"{_REFUSED}: (.*?\))\.", str(error))
    if match is None:
        return None
    return SourceError(
        f"{match[1]}, and the view refuses duplicates. Declare in the view which of them counts, "
        "duplicates=Duplicates.LATEST or ANY_TRUE, or correct the source."
    )
