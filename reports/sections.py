"""The sections of the page, one per view: its features with figures, pictures and null shares."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reports import histogram, lineage
from reports.histogram import Histogram, Trend
from reports.lineage import Names, Node
from reports.model import ColumnCard, Profile, RunReport, Value, ViewCard


@dataclass(frozen=True)
class FeatureLine:
    """One feature in the newest slice; the trend is its mean over all slices of this run."""

    column: ColumnCard
    null_share: float | None
    minimum: Value
    mean: float | None
    maximum: Value
    histogram: Histogram | None
    trend: Trend | None
    is_sampled: bool


@dataclass(frozen=True)
class Section:
    node: Node
    card: ViewCard
    upstream: tuple[Node | str, ...]
    slices: int
    newest: str | None
    rows: int | None
    features: tuple[FeatureLine, ...]

    @property
    def has_pictures(self) -> bool:
        return any(feature.is_sampled for feature in self.features)

    @property
    def has_trends(self) -> bool:
        return any(feature.trend for feature in self.features)


def sections(report: RunReport) -> list[Section]:
    """One section per view, in the order given; features in declared order, then those only seen in the data."""
    names, nodes = Names(report.views), lineage.nodes(report)
    profiles: dict[str, list[Profile]] = defaultdict(list)
    for profile in report.profiles:
        profiles[names.address(profile.view)].append(profile)
    samples = {names.address(sample.view): sample.columns for sample in report.samples}
    return [
        _section(
            nodes[card.address],
            card,
            upstream=tuple(nodes.get(names.address(name), name) for name in card.upstream),
            profiles=profiles[card.address],
            sampled=samples.get(card.address, {}),
        )
        for card in report.views
    ]


def _section(
    node: Node,
    card: ViewCard,
    *,
    upstream: tuple[Node | str, ...],
    profiles: Sequence[Profile],
    sampled: Mapping[str, Sequence[float | None]],
) -> Section:
    slices = sorted({profile.slice for profile in profiles})
    newest = slices[-1] if slices else None
    by_feature: dict[str, dict[str, Profile]] = defaultdict(dict)
    for profile in profiles:
        by_feature[profile.feature][profile.slice] = profile
    rows = [profile.rows for profile in profiles if profile.slice == newest and profile.rows is not None]
    return Section(
        node,
        card,
        upstream,
        slices=len(slices),
        newest=newest,
        rows=max(rows, default=None),
        features=tuple(
            _feature(column, slices, by_feature[column.name], sampled.get(column.name))
            for column in _columns(card, profiles, sampled)
        ),
    )


def _columns(card: ViewCard, profiles: Iterable[Profile], sampled: Iterable[str]) -> list[ColumnCard]:
    declared = {column.name for column in card.columns}
    seen = dict.fromkeys([*(profile.feature for profile in profiles), *sampled])
    return [*card.columns, *(ColumnCard(name, "") for name in seen if name and name not in declared)]


def _feature(
    column: ColumnCard,
    slices: Sequence[str],
    profiles: Mapping[str, Profile],
    sample: Sequence[float | None] | None,
) -> FeatureLine:
    newest = profiles.get(slices[-1]) if slices else None
    return FeatureLine(
        column,
        null_share=_null_share(newest),
        minimum=newest.minimum if newest else None,
        mean=newest.mean if newest else None,
        maximum=newest.maximum if newest else None,
        histogram=histogram.histogram(sample) if sample is not None else None,
        trend=histogram.trend([profiles[at].mean if at in profiles else None for at in slices]),
        is_sampled=sample is not None,
    )


def _null_share(profile: Profile | None) -> float | None:
    """None where there are no rows: then the share is not known, and not 0."""
    if profile is None or profile.nulls is None or not profile.rows:
        return None
    return profile.nulls / profile.rows
