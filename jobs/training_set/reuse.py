"""The columns and rows that a training set's next version takes over, and those that have to be joined (S28, S34).

The features of a row depend on its join keys and its label time alone (its *point*), on the table version of each view
and on how it is joined. So a view's columns are taken over point by point as long as none of these changed, even where
the row's other columns did; the evidence of each point lies beside the rows, and is taken over with them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from definitions.registry import key_of
from definitions.services import FeatureService, Selection
from definitions.versions import fingerprints
from definitions.views import DerivedView
from jobs.build.continued import tables_below
from jobs.inputs.releases import Released
from jobs.run.context import Context
from jobs.spines.spine import LABEL_TIME
from jobs.training_set.manifest import Manifest, ViewPart, data_key, evidence_key
from jobs.training_set.rows import BuildResult, rows_of
from jobs.training_set.split import SPLIT, Split
from lakehouse.storage_errors import TableMissing
from lakehouse.tables import current_version, read
from pit_join import History, evidence_column
from temporal.comparable import quoted

_KNOWN = "_known_point_{}"


def views_of(
    service: FeatureService,
    released: Released,
    keys: Mapping[str, str],
    continued: Mapping[str, DerivedView],
) -> dict[str, ViewPart]:
    """By selection, all that its columns are made of and that another run may find changed."""
    return {selection.name: _view(selection, released, keys, continued) for selection in service.features}


def _view(
    selection: Selection, released: Released, keys: Mapping[str, str], continued: Mapping[str, DerivedView]
) -> ViewPart:
    is_continued = key_of(selection.view) in continued
    by_feature = fingerprints(selection.view)
    return ViewPart(
        table=key_of(selection.view),
        version=released.version(selection.view),
        features={column.feature: by_feature[column.feature] for column in selection.columns},
        entity=selection.entity.name,
        keys=tuple((name, type_) for name, type_ in selection.entity.keys),
        spine_keys=tuple(keys.get(key, key) for key in selection.spine_keys),
        role=selection.role,
        max_age=selection.max_age,
        includes_label_instant=selection.view.includes_label_instant,
        derived_from=tables_below([selection.view], released) if is_continued else {},
    )


def points_of(views: Mapping[str, ViewPart]) -> list[str]:
    """The spine's columns that a row's features depend on."""
    return [*sorted({key for view in views.values() for key in view.spine_keys}), LABEL_TIME]


@dataclass(frozen=True)
class CurrentVersion:
    """The version that readers see: its rows, and a row of evidence for each of them."""

    manifest: Manifest
    rows: DataFrame
    evidence: DataFrame

    @classmethod
    def of(cls, context: Context, manifest: Manifest | None) -> "CurrentVersion | None":
        """None where nothing can be taken over: in the first run, without evidence, or when the rows are gone."""
        if manifest is None or manifest.evidence is None:
            return None
        try:
            path = context.warehouse.address(evidence_key(manifest.name)).path
            evidence = read(context.spark, path, version=manifest.evidence.version)
            return cls(manifest, rows_of(context, manifest), evidence)
        except TableMissing:
            return None

    def reusable(self, views: Mapping[str, ViewPart], knowledge: str, spine: DataFrame) -> set[str]:
        """The selections whose columns are as they would be joined now.

        There are none where the spine's keys are other columns than those of the evidence, or of another type.
        """
        manifest, points = self.manifest, points_of(views)
        if manifest.options.knowledge != knowledge or points != points_of(manifest.views):
            return set()
        if _columns(self.rows, points).dtypes != _columns(spine, points).dtypes:
            return set()
        return {name for name, view in views.items() if manifest.views.get(name) == view}

    def known_points(self, points: Sequence[str], histories: Sequence[History], *, of: DataFrame | None) -> DataFrame:
        """Points with the histories' columns and evidence, each once; `of`: only the points that these rows have.

        A point with two different values would come twice, and the certificate's check of the row count would fail.
        """
        features = [f"{history.name}__{feature}" for history in histories for feature in history.features]
        columns = [evidence_column(history.name) for history in histories]
        rows, evidence = _columns(self.rows, [*points, *features]), _columns(self.evidence, [*points, *columns])
        if of is not None:
            some = _columns(of, points)
            rows, evidence = (_with_known(frame, some, points, how="left_semi") for frame in (rows, evidence))
        return _with_known(rows.distinct(), evidence.distinct(), points, how="inner")

    def is_newest(self, context: Context) -> bool:
        """False when a killed run, or another program, wrote to its tables after the manifest was placed."""
        if self.manifest.evidence is None:
            return False
        name = self.manifest.name
        named = ((data_key(name), self.manifest.data.version), (evidence_key(name), self.manifest.evidence.version))
        return all(
            current_version(context.spark, context.warehouse.address(key).path) == version for key, version in named
        )

    def new_rows(self, spine: DataFrame) -> DataFrame | None:
        """The spine's rows that are not stored yet, each as often as it is new (S15); None: they can't be compared."""
        stored = _columns(self.rows, self.manifest.spine.columns)
        if stored.dtypes != spine.dtypes or any("map<" in type_ for _, type_ in spine.dtypes):
            return None
        return spine.exceptAll(stored)


@dataclass(frozen=True, kw_only=True)
class Extension:
    """The rows of a training set's next version: columns and rows are taken over where possible, the others joined.

    features: the columns that the histories give; points: those of the spine that they depend on. current: the version
    that readers see; reusable: the histories whose columns are taken over from it. join: spine rows and histories in,
    features and evidence out. staged: stores a frame under a name and reads it back.
    """

    context: Context
    spine: DataFrame
    histories: Sequence[History]
    features: Sequence[str]
    points: Sequence[str]
    split: Split | None
    current: CurrentVersion | None
    reusable: set[str]
    join: Callable[[DataFrame, Sequence[History]], DataFrame]
    staged: Callable[[DataFrame, str], DataFrame]

    def build(self) -> BuildResult:
        computed = tuple(history.name for history in self.histories if history.name not in self.reusable)
        added = None if computed else self._added()
        written = self._written(self.spine if added is None else added, is_few=added is not None)
        rows, evidence = _columns(written, self.columns), _columns(written, [*self.points, *self._evidence])
        if added is None or self.current is None:
            return BuildResult(written, rows, evidence, None, computed)
        all_rows = _columns(self.current.rows, self.columns).unionByName(rows)
        all_evidence = _columns(self.current.evidence, evidence.columns).unionByName(evidence)
        return BuildResult(written, all_rows, all_evidence, added.count(), computed)

    @property
    def columns(self) -> list[str]:
        return [*self.spine.columns, *self.features, *([SPLIT] if self.split else [])]

    @property
    def _evidence(self) -> list[str]:
        return [evidence_column(history.name) for history in self.histories]

    def _added(self) -> DataFrame | None:
        """The rows to append; None where rows left the spine, or where the stored ones are to change."""
        current = self.current
        if current is None or not current.is_newest(self.context) or current.rows.columns != self.columns:
            return None
        if Split.of_part(current.manifest.split) != self.split:
            return None
        new = current.new_rows(self.spine)
        if new is None:
            return None
        staged = self.staged(new, "new")
        # Stored rows + new ones = rows of the spine: then none of the stored ones has left it.
        return staged if current.manifest.data.rows + staged.count() == self.spine.count() else None

    def _written(self, rows: DataFrame, *, is_few: bool) -> DataFrame:
        reused = [history for history in self.histories if history.name in self.reusable]
        others = [history for history in self.histories if history.name not in self.reusable]
        if self.current is not None and reused:
            known = self.current.known_points(self.points, reused, of=rows if is_few else None)
            added = self.join(_unknown_points(rows, known, self.points), reused)
            rows = _with_known(rows, known.unionByName(added), self.points)
        joined = self.join(rows, others) if others else rows
        if self.split is not None:
            joined = joined.withColumn(SPLIT, self.split.column())
        return self.staged(_columns(joined, [*self.columns, *self._evidence]), "joined")


def _with_known(frame: DataFrame, known: DataFrame, points: Sequence[str], *, how: str = "left") -> DataFrame:
    """The frame's columns, then what is known of each row's point; a null key is a point like any other."""
    names = {name: _KNOWN.format(index) for index, name in enumerate(points)}
    renamed = known.select(*(quoted(name).alias(names.get(name, name)) for name in known.columns))
    same = [quoted(name).eqNullSafe(F.col(other)) for name, other in names.items()]
    joined = frame.join(renamed, on=reduce(Column.__and__, same), how=how)
    return joined.drop(*names.values())


def _unknown_points(frame: DataFrame, known: DataFrame, points: Sequence[str]) -> DataFrame:
    """The points of the frame, each once, that are not known."""
    return _with_known(_columns(frame, points).distinct(), _columns(known, points), points, how="left_anti")


def _columns(frame: DataFrame, names: Sequence[str]) -> DataFrame:
    return frame.select(*(quoted(name) for name in names))
