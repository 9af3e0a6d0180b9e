"""Cross-entity views: an entity beside its group, at one T and one cut (S26).

A group is counted and added up first, and its members get the result by a join: no task holds a group.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from compute.failures import Probe
from compute.numbers import finite
from compute.ranks import equal_name, smaller_name, with_standing
from compute.windows import expression_probes, with_expressions
from definitions.comparisons import Comparison
from definitions.features import Feature
from definitions.operations.table import group_operation
from definitions.views import CrossEntityView, Unknown

_GROUP, _MEMBERS = "_group", "_members"


def compare(snapshots: DataFrame, membership: DataFrame | None, view: CrossEntityView, *, tasks: int = 1) -> DataFrame:
    """snapshots: rows of the compared view, one or many T. Returns keys, `event_time` and the view's features.

    tasks: how many share the members of a group that are put in order, for ranks. Sums are of whole quanta in
    decimal(38,0), so that no partitioning or order shows in a bit (S24).
    """
    keys = view.entity.key_names
    by = [f"_by{n}" for n in range(len(view.group.by))]
    frame = snapshots
    if membership is not None:
        member = membership.select(*keys, *[F.col(c).alias(name) for c, name in zip(view.group.by, by, strict=True)])
        frame = frame.join(member, on=list(keys), how="left")
    compared = [_Compared(f, view.exclude_self) for f in view.outputs if f.operation != "expression"]
    frame = _with_totals(frame.withColumn(_GROUP, group_of(by)), compared, is_one=not by)
    frame = _with_ranks(frame, compared, keys, tasks)
    frame = frame.withColumn("_others", F.col(_MEMBERS) - F.lit(1 if view.exclude_self else 0))
    has_group = F.lit(True)
    if view.group.unknown is Unknown.NO_GROUP:
        for name in by:
            has_group = has_group & F.col(name).isNotNull()
    has_enough = has_group & (F.col("_others") >= view.min_members)
    columns = []
    for each in compared:
        is_answered = has_enough if group_operation(each.feature.operation).needs_min_members else has_group
        columns.append(F.when(is_answered, _value(each)).alias(each.feature.name))
    return with_expressions(frame.select(*keys, "event_time", *columns), view.outputs).select(
        *keys, "event_time", *[f.name for f in view.outputs]
    )


def probes(snapshots: DataFrame, membership: DataFrame | None, view: CrossEntityView) -> Iterator[Probe]:
    """The values of a view that become quanta, then its expressions, to find the one that failed."""
    for feature in view.outputs:
        if feature.of and feature.operation in _OF_QUANTA:
            quanta = _Compared(feature, view.exclude_self).quanta
            yield Probe(feature.name, feature.of, quanta, snapshots, is_quantum=True)
    plain = replace(view, features=tuple(f for f in view.features if isinstance(f, Comparison)))
    yield from expression_probes(compare(snapshots, membership, plain), view.outputs)


def group_of(by: Sequence[str]) -> Column:
    """What members of one group have in common: T, and the columns they are grouped by, null equal to null."""
    return F.struct("event_time", *by)


def _with_totals(frame: DataFrame, compared: "Sequence[_Compared]", *, is_one: bool) -> DataFrame:
    """Plus how many members the group has, and of each compared feature how many are known, and their sum."""
    totals = {_MEMBERS: F.count(F.lit(1))}
    for each in compared:
        totals |= each.totals
    groups = frame.groupBy(_GROUP).agg(*[total.alias(name) for name, total in totals.items()])
    # Everyone is one group at each T. Its rows are not shuffled, whatever size Spark expects the totals to have.
    return frame.join(F.broadcast(groups) if is_one else groups, on=_GROUP, how="inner")


def _with_ranks(frame: DataFrame, compared: "Sequence[_Compared]", keys: Sequence[str], tasks: int) -> DataFrame:
    """Plus, of each feature that is ranked, how many members have a smaller value, and how many the same."""
    for of in dict.fromkeys(each.feature.of for each in compared if each.is_ranked):
        frame = with_standing(frame, _GROUP, of, keys=keys, tasks=tasks)
    return frame


@dataclass(frozen=True)
class _Compared:
    """A feature that compares an entity with its group, by what `_with_totals` and `_with_ranks` found."""

    feature: Feature
    exclude_self: bool

    @property
    def is_ranked(self) -> bool:
        return self.feature.operation in ("rank", "percentile_rank")

    @property
    def own(self) -> Column:
        return F.col(self.feature.of)

    @property
    def quanta(self) -> Column:
        return F.rint(self.own.cast("double") * F.lit(float(self.feature.divisor))).cast("decimal(28,0)")

    @property
    def totals(self) -> dict[str, Column]:
        if not self.feature.of:
            return {}
        known = {f"_known_{self.feature.of}": F.count(self.own)}
        return known if self.is_ranked else known | {self._total: F.sum(self.quanta)}

    @property
    def _total(self) -> str:
        return f"_total_{self.feature.divisor}_{self.feature.of}"

    @property
    def known(self) -> Column:
        return F.col(f"_known_{self.feature.of}")

    @property
    def total(self) -> Column:
        return F.col(self._total)

    @property
    def smaller(self) -> Column:
        return F.col(smaller_name(self.feature.of))

    @property
    def equal(self) -> Column:
        return F.col(equal_name(self.feature.of))

    @property
    def mean(self) -> Column:
        """The mean of the known values, without the entity's own where declared; one division at the end."""
        total, known = self.total, self.known
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
    return F.try_divide(compared.quanta.cast("double"), compared.total.cast("double"))


def _rank(compared: _Compared) -> Column:
    """1 for the largest value; equal values have the same rank (S24). Null values have none."""
    return compared.known - compared.smaller - compared.equal + F.lit(1)


def _percentile_rank(compared: _Compared) -> Column:
    """The share of the other members whose value is smaller; null when there is no other. Nulls are not ranked."""
    others = compared.known - F.lit(1)
    return F.when(others > 0, compared.smaller.cast("double") / others.cast("double"))


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
