"""Cross-entity views: an entity beside its group, at one T and one cut (S26)."""

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

from compute.numbers import finite
from compute.windows import with_expressions
from definitions.features import Feature
from definitions.views import CrossEntityView, Unknown


def compare(snapshots: DataFrame, membership: DataFrame | None, view: CrossEntityView) -> DataFrame:
    """snapshots: rows of the compared view, one or many T. Returns keys, `event_time` and the view's features.

    Sums are of whole quanta in decimal(38,0), so that no partitioning or order shows in a bit (S24).
    """
    keys = view.entity.key_names
    by = [f"_by{n}" for n in range(len(view.group.by))]
    frame = snapshots
    if membership is not None:
        member = membership.select(*keys, *[F.col(c).alias(name) for c, name in zip(view.group.by, by, strict=True)])
        frame = frame.join(member, on=list(keys), how="left")
    group = ["event_time", *by]
    others = F.count(F.lit(1)).over(Window.partitionBy(*group)) - F.lit(1 if view.exclude_self else 0)
    frame = frame.withColumn("_others", others)
    grouped = F.lit(True)
    if view.group.unknown is Unknown.NO_GROUP:
        for name in by:
            grouped = grouped & F.col(name).isNotNull()
    enough = grouped & (F.col("_others") >= view.min_members)
    compared = [_compare(f, view, group) for f in view.outputs if f.operation != "expression"]
    # How many others there are is told even where they are too few to be compared with.
    named = [F.when(grouped if f.operation == "members" else enough, value).alias(f.name) for f, value in compared]
    return with_expressions(frame.select(*keys, "event_time", *named), view.outputs).select(
        *keys, "event_time", *[f.name for f in view.outputs]
    )


def _compare(feature: Feature, view: CrossEntityView, group: list[str]) -> tuple[Feature, Column]:
    if feature.operation == "members":
        return feature, F.col("_others")
    own = F.col(feature.of)
    everyone = Window.partitionBy(*group)
    values = {
        "ratio_to_mean": lambda: F.try_divide(
            own.cast("double"), _mean(own, feature, everyone, exclude_self=view.exclude_self)
        ),
        "difference_to_mean": lambda: (
            own.cast("double") - _mean(own, feature, everyone, exclude_self=view.exclude_self)
        ),
        "share_of_total": lambda: F.try_divide(
            _quanta(own, feature).cast("double"), F.sum(_quanta(own, feature)).over(everyone).cast("double")
        ),
        # Nulls rank apart: they are nobody's neighbours. Equals share the better rank (S24).
        "rank": lambda: F.when(own.isNotNull(), F.rank().over(everyone.orderBy(own.desc_nulls_last())).cast("bigint")),
        "percentile_rank": lambda: _percentile(own, Window.partitionBy(*group, own.isNull())),
    }
    value = values[feature.operation]()
    return feature, finite(value) if feature.type == "double" else value


def _percentile(own: Column, known: WindowSpec) -> Column:
    """The share of the other members whose value is smaller; null when there is no other."""
    return F.when(
        own.isNotNull() & (F.count(F.lit(1)).over(known) > 1), F.percent_rank().over(known.orderBy(own.asc()))
    )


def _quanta(own: Column, feature: Feature) -> Column:
    return F.rint(own.cast("double") * F.lit(float(feature.divisor))).cast("decimal(28,0)")


def _mean(own: Column, feature: Feature, everyone: WindowSpec, *, exclude_self: bool) -> Column:
    """The mean of the known values, without the entity's own where declared; one division at the end."""
    quanta = _quanta(own, feature)
    total, known = F.sum(quanta).over(everyone), F.count(own).over(everyone)
    if exclude_self:
        total = total - F.coalesce(quanta, F.lit(0).cast("decimal(28,0)"))
        known = known - own.isNotNull().cast("bigint")
    return F.try_divide(total.cast("double"), (known * F.lit(feature.divisor)).cast("double"))
