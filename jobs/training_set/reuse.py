"""What a training set's next version takes over from the rows that stand, and what has to be joined (S28, S34).

The features of a row hang on its join keys and its label time alone (its *point*), on the table version of each view
and on how it is joined. So a view's columns are taken over point by point as long as nothing of that changed, whatever
became of the row's other columns; the evidence of each point lies beside the rows, and is taken over with them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from definitions.registry import key_of
from definitions.services import FeatureService, Selection
from definitions.versions import fingerprints
from jobs.inputs.releases import Released
from jobs.run.context import Context
from jobs.spines.spine import LABEL_TIME
from jobs.training_set.manifest import Manifest, find_manifest
from lakehouse.storage_errors import TableMissing
from lakehouse.tables import current_version, read
from pit_join import History, evidence_column
from temporal.comparable import quoted

_KNOWN = "_known_point_{}"


def data_key(name: str) -> str:
    return f"training_sets/{name}/data"


def evidence_key(name: str) -> str:
    return f"training_sets/{name}/evidence"


def rows_of(context: Context, manifest: Manifest) -> DataFrame:
    """The rows that the manifest names. Raises TableMissing when they are gone."""
    path = context.warehouse.address(data_key(manifest.name)).path
    return read(context.spark, path, version=manifest.data["version"])


def views_of(service: FeatureService, released: Released, keys: Mapping[str, str]) -> dict[str, Any]:
    """By selection, all that its columns are made of and that another run may find changed."""
    return {selection.name: _view(selection, released, keys) for selection in service.features}


def _view(selection: Selection, released: Released, keys: Mapping[str, str]) -> dict[str, Any]:
    meant = fingerprints(selection.view)
    return {
        "table": key_of(selection.view),
        "version": released.version(selection.view),
        "features": {column.feature: meant[column.feature] for column in selection.columns},
        "entity": selection.entity.name,
        "keys": [list(key) for key in selection.entity.keys],
        "spine_keys": [keys.get(key, key) for key in selection.spine_keys],
        "role": selection.role,
        "max_age": selection.max_age,
        "includes_label_instant": bool(getattr(selection.view, "includes_label_instant", False)),
    }


@dataclass(frozen=True)
class CurrentVersion:
    """The version in force: its rows, and a row of evidence for each of them."""

    manifest: Manifest
    rows: DataFrame
    evidence: DataFrame

    def kept(self, views: Mapping[str, Any], knowledge: str, spine: DataFrame) -> set[str]:
        """The selections whose columns are as they would be joined now.

        None are where the spine's keys are other columns than those of the evidence, or of another type.
        """
        manifest, points = self.manifest, points_of(views)
        if manifest.options["knowledge"] != knowledge or points != points_of(manifest.views):
            return set()
        if _columns(self.rows, points).dtypes != _columns(spine, points).dtypes:
            return set()
        return {name for name, view in views.items() if manifest.views.get(name) == view}

    def known_points(self, points: Sequence[str], histories: Sequence[History], *, of: DataFrame | None) -> DataFrame:
        """Points with the histories' columns and evidence, each once; `of`: only the points that these rows have.

        A point with two different values would come twice, and the certificate's count of rows would tell.
        """
        features = [f"{history.name}__{feature}" for history in histories for feature in history.features]
        evidence = [evidence_column(history.name) for history in histories]
        rows, told = _columns(self.rows, [*points, *features]), _columns(self.evidence, [*points, *evidence])
        if of is not None:
            rows, told = (with_known(each, _columns(of, points), points, how="left_semi") for each in (rows, told))
        return with_known(rows.distinct(), told.distinct(), points, how="inner")

    def is_newest(self, context: Context) -> bool:
        """False when a killed run, or somebody else, wrote to its tables after the manifest was placed."""
        named = ((data_key, self.manifest.data), (evidence_key, self.manifest.evidence))
        return all(
            current_version(context.spark, context.warehouse.address(key(self.manifest.name)).path) == told["version"]
            for key, told in named
        )


def find_current(context: Context, name: str) -> CurrentVersion | None:
    """None where there is none to take anything over from: the first run, a set without evidence, or rows gone."""
    manifest = find_manifest(context.warehouse, name)
    if manifest is None or not manifest.evidence:
        return None
    try:
        path = context.warehouse.address(evidence_key(name)).path
        evidence = read(context.spark, path, version=manifest.evidence["version"])
        return CurrentVersion(manifest, rows_of(context, manifest), evidence)
    except TableMissing:
        return None


def points_of(views: Mapping[str, Any]) -> list[str]:
    """The spine's columns that a row's features hang on."""
    return [*sorted({key for view in views.values() for key in view["spine_keys"]}), LABEL_TIME]


def new_rows(spine: DataFrame, standing: CurrentVersion) -> DataFrame | None:
    """The spine's rows that do not stand yet, each as often as it is new (S15); None where they can't be compared."""
    stored = _columns(standing.rows, standing.manifest.spine["columns"])
    if stored.dtypes != spine.dtypes or any("map<" in type_ for _, type_ in spine.dtypes):
        return None
    return spine.exceptAll(stored)


def with_known(frame: DataFrame, known: DataFrame, points: Sequence[str], *, how: str = "left") -> DataFrame:
    """The frame's columns, then what is known of each row's point; a null key is a point like any other."""
    names = {name: _KNOWN.format(context) for context, name in enumerate(points)}
    renamed = known.select(*(quoted(name).alias(names.get(name, name)) for name in known.columns))
    same = [quoted(name).eqNullSafe(F.col(other)) for name, other in names.items()]
    joined = frame.join(renamed, on=reduce(Column.__and__, same), how=how)
    return joined.drop(*names.values())


def unknown_points(frame: DataFrame, known: DataFrame, points: Sequence[str]) -> DataFrame:
    """The points of the frame, each once, that are not known."""
    return with_known(_columns(frame, points).distinct(), _columns(known, points), points, how="left_anti")


def _columns(frame: DataFrame, names: Sequence[str]) -> DataFrame:
    return frame.select(*(quoted(name) for name in names))
