"""What a look-up takes where one key finds several newest facts: one of them, all of them, or none and stop (S13)."""

import re

from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from definitions.errors import SourceError
from definitions.sources import Source
from definitions.views import Duplicates, Lookup

_REFUSED = "LOOKUP_REFUSED"


def may_repeat(lookup: Lookup) -> bool:
    """Whether one key can find several facts: not where the key holds the whole identity of a fact."""
    identity = lookup.source.identity if isinstance(lookup.source, Source) else lookup.source.root.identity
    return not identity or not set(identity) <= set(lookup.on)


def resolved(facts: DataFrame, lookup: Lookup, *, by: list[str]) -> DataFrame:
    """facts: with `_gone` (a tombstone) and `_order` (the last of S9's order wins). One row per `by`, with what is
    `_taken`, whether that is `_gone`, and of how many `_facts`. Cost: a shuffle, unless no key can find several.
    """
    if not may_repeat(lookup):
        return facts.select(*by, F.struct(*lookup.take).alias("_taken"), "_gone", F.lit(1).alias("_facts"))
    taken, gone = F.max_by(F.struct(*lookup.take), "_order"), F.bool_or("_gone")
    if lookup.duplicates is Duplicates.ANY_TRUE:
        taken = F.struct(*[F.bool_or(c).alias(c) for c in lookup.take])
    elif lookup.duplicates is Duplicates.LATEST:
        gone = F.max_by("_gone", "_order")
    # A tombstone says that the facts of its instant do not hold: they are no reason to stop.
    alive = F.count_if(F.col("_gone") == F.lit(False))
    return facts.groupBy(*by).agg(taken.alias("_taken"), gone.alias("_gone"), alive.alias("_facts"))


def value(column: str, lookup: Lookup) -> Column:
    """What was taken, null where nothing holds; evaluating it stops the job where several facts are refused."""
    taken = F.when(F.col("_gone") == F.lit(False), F.col(f"_taken.{column}"))
    if lookup.duplicates is not Duplicates.REFUSE or not may_repeat(lookup):
        return taken
    key = F.concat_ws(", ", *[F.concat(F.lit(f"{name}="), F.col(name).cast("string")) for name in lookup.on])
    told = F.concat(
        F.lit(f"{_REFUSED}: the look-up of '{lookup.source.name}' found "),
        F.col("_facts").cast("string"),
        F.lit(" facts for the key ("),
        key,
        F.lit(")."),
    )
    return F.when((F.col("_facts") > 1) & (F.col("_gone") == F.lit(False)), F.raise_error(told)).otherwise(taken)


def refusal(error: PySparkException) -> SourceError | None:
    """The refusal that stopped a job, as the user reads it; None if something else stopped it."""
    found = re.search(rf"{_REFUSED}: (.*?\))\.", str(error))
    if found is None:
        return None
    return SourceError(
        f"{found[1]}, and none may be preferred. Say in the view which of them counts, "
        "duplicates=Duplicates.LATEST or ANY_TRUE, or mend the source."
    )
