"""Cross-entity views: an entity beside its group, at one T and one cut (S26)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

from compute.failures import Probe
from compute.numbers import finite
from compute.windows import expression_probes, with_expressions
from definitions.comparisons import Comparison
from definitions.features import Feature
from definitions.operations.table import group_operation
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
    has_group = F.lit(True)
    if view.group.unknown is Unknown.NO_GROUP:
        for name in by:
            has_group = has_group & F.col(name).isNotNull()
    has_enough = has_group & (F.col("_others") >= view.min_members)
    columns = []
    for feature in view.outputs:
        if feature.operation != "expression":
            is_answered = has_enough if group_operation(feature.operation).needs_min_members else has_group
            value = _value(_Compared(feature, group, view.exclude_self))
            columns.append(F.when(is_answered, value).alias(feature.name))
    return with_expressions(frame.select(*keys, "event_time", *columns), view.outputs).select(
        *keys, "event_time", *[f.name for f in view.outputs]
    )


def probes(snapshots: DataFrame, membership: DataFrame | None, view: CrossEntityView) -> Iterator[Probe]:
    """The values of a view that become quanta, then its expressions, to find the one that failed."""
    for feature in view.outputs:
        if feature.of and feature.operation in _OF_QUANTA:
            quanta = _Compared(feature, (), view.exclude_self).quanta
            yield Probe(feature.name, feature.of, quanta, snapshots, is_quantum=True)
    plain = replace(view, features=tuple(f for f in view.features if isinstance(f, Comparison)))
    yield from expression_probes(compare(snapshots, membership, plain), view.outputs)


@dataclass(frozen=True)
class _Compared:
    """A feature, and the columns whose equal values make a group."""

    feature: Feature
    group: Sequence[str]
    exclude_self: bool

    @property
    def own(self) -> Column:
        return F.col(self.feature.of)

    @property
    def everyone(self) -> WindowSpec:
        return Window.partitionBy(*self.group)

    @property
    def quanta(self) -> Column:
        return F.rint(self.own.cast("double") * F.lit(float(self.feature.divisor))).cast("decimal(28,0)")

    @property
    def mean(self) -> Column:
        """The mean of the known values, without the entity's own where declared; one division at the end."""
        total, known = F.sum(self.quanta).over(self.everyone), F.count(self.own).over(self.everyone)
        if self.exclude_self:
            total = total - F.coalesce(self.quanta, F.lit(0).cast("decimal(28,0)"))
            known = known - self.own.isNotNull().cast("bigint")
        return F.try_divide(total.cast("double"), (known * F.lit(self.feature.divisor)).cast("double"))


def _members(compared: _Compared) -> Column:
    return F.col("_others")


def _ratio_to_mean(compared: _Compared) -> Column:
    return F.try_divide(compared.own.cast("double"), compared.mean)


def _difference_to_mean(compared: _Compared) -> Column:
    return compared.own.cast("double") - compared.mean


def _share_of_total(compared: _Compared) -> Column:
    total = F.sum(compared.quanta).over(compared.everyone)
    return F.try_divide(compared.quanta.cast("double"), total.cast("double"))


def _rank(compared: _Compared) -> Column:
    """1 for the largest value; equal values have the same rank (S24). Null values have none."""
    rank = F.rank().over(compared.everyone.orderBy(compared.own.desc_nulls_last()))
    return F.when(compared.own.isNotNull(), rank.cast("bigint"))


def _percentile_rank(compared: _Compared) -> Column:
    """The share of the other members whose value is smaller; null when there is no other. Nulls are not ranked."""
    known = Window.partitionBy(*compared.group, compared.own.isNull())
    has_others = F.count(F.lit(1)).over(known) > 1
    return F.when(compared.own.isNotNull() & has_others, F.percent_rank().over(known.orderBy(compared.own.asc())))


# The Spark expression of each comparison that definitions/operations/comparisons.py declares.
_VALUES: Mapping[str, Callable[[_Compared], Column]] = {
    "members": _members,
    "ratio_to_mean": _ratio_to_mean,
    "difference_to_mean": _difference_to_mean,
    "share_of_total": _share_of_total,
    "rank": _rank,
    "percentile_rank": _percentile_rank,
}


_OF_QUANTA = ("ratio_to_mean", "difference_to_mean", "share_of_total")


def _value(compared: _Compared) -> Column:
    value = _VALUES[compared.feature.operation](compared)
    return finite(value) if compared.feature.type == "double" else value
