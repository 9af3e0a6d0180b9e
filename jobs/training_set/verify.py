"""Build a training set again from what its manifest names, and compare the content hashes (S36)."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from definitions.entities import Entity
from definitions.errors import ZigguratError
from definitions.registry import Registry, key_of
from definitions.services import FeatureService, Selection
from definitions.versions import fingerprints
from definitions.views import DerivedView
from jobs.build.continued import Continuation, continued_rows, named_failures
from jobs.build.small import kept
from jobs.inputs.histories import histories_of
from jobs.inputs.releases import earlier_release
from jobs.run.context import Context
from jobs.spines.spine import LABEL_TIME, newest_label_us
from jobs.training_set.lost import NamedVersions
from jobs.training_set.manifest import Manifest, ViewPart
from jobs.training_set.rows import hash_of, measured, rows_of
from jobs.training_set.split import SPLIT, Split, split_spine
from lakehouse.storage_errors import StorageError, TableMissing
from lakehouse.tables import exists, read, remove
from lakehouse.writer import MOST_ROWS
from pit_join import point_in_time_join
from temporal.comparable import quoted

_STORED = "_stored_{}"


class NotReproduced(ZigguratError):
    """Built again from its manifest, the training set has other rows, or can't be built at all."""

    exit_code = 44


class TrainingSetErased(StorageError):
    """A table version that the manifest names can no longer be read: its rows were erased."""

    exit_code = 45


@dataclass(frozen=True)
class Verification:
    """The content hash of the rows as built again, and of the stored ones.

    columns: those whose rebuilt values differ from the stored ones, each with the number of such rows.
    """

    manifest: Manifest
    rebuilt: str
    stored: str
    columns: Mapping[str, int]

    @property
    def is_same(self) -> bool:
        return {self.rebuilt, self.stored} == {self.manifest.data.hash}

    def require_same(self) -> None:
        """Raises NotReproduced, which names the columns."""
        if self.is_same:
            return
        data = self.manifest.data
        if self.columns:
            counts = ", ".join(f"{name} in {rows:,}" for name, rows in self.columns.items())
            why = f"of {data.rows:,} rows these differ from the stored ones: {counts}"
        elif self.stored != data.hash:
            why = f"the stored rows were changed: their content hash is {self.stored}"
        else:
            why = f"the rebuilt rows have content hash {self.rebuilt}"
        raise NotReproduced(
            f"training set '{self.manifest.called}' is not what its manifest says (content hash {data.hash}): {why}. "
            "Build it anew, and retrain what was trained on it."
        )


def verify_training_set(context: Context, manifest: Manifest, *, strategy: str = "auto") -> Verification:
    """Join the stored spine again to the tables at the versions that the manifest names; nothing stays written.

    Raises TrainingSetErased where one of them is gone, NotReproduced where a definition means something else now.
    Cost: one join of the whole spine, and a pass over the result.
    """
    service = service_of(context.registry, manifest)
    released = earlier_release(context, manifest.release, manifest.tables)
    stored = _stored_rows(context, manifest)
    columns = [column.name for column in service.columns]
    spine = stored.select(
        *(quoted(name) for name in manifest.spine.columns),
        *(quoted(name).alias(_STORED.format(number)) for number, name in enumerate(columns)),
    )
    run_id = f"verify-{uuid.uuid4().hex[:8]}"
    continuation = _continuation(service, manifest, stored)
    try:
        with named_failures(context, continuation, released):
            rows = continued_rows(context, continuation, released)
            histories = histories_of(context, service, released, keys=manifest.options.keys, rows=rows)
            joined = point_in_time_join(
                spine, histories, label_time=LABEL_TIME, knowledge=manifest.options.knowledge, strategy=strategy
            )
            if manifest.options.split is not None:
                split = Split.of_part(split_spine(spine, manifest.options.split))
                joined = joined.withColumn(SPLIT, split.column()) if split else joined
            staging = context.warehouse.staging(run_id, "rebuilt")
            rebuilt, _ = kept(joined, staging, may_be_few=manifest.data.rows <= MOST_ROWS)
        all_columns = [*manifest.spine.columns, *columns, *([SPLIT] if manifest.split else [])]
        return Verification(
            manifest,
            rebuilt=hash_of(measured(rebuilt, all_columns)).hex,
            stored=hash_of(measured(stored, stored.columns)).hex,
            columns=_unlike(rebuilt, columns),
        )
    finally:
        remove(context.warehouse.staging_of(run_id))


def service_of(registry: Registry, manifest: Manifest) -> FeatureService:
    """The service as it was: its views by key, if each of its features still means what the manifest says (S35)."""
    if not manifest.views:
        raise NotReproduced(
            f"training set '{manifest.called}' has a manifest of format {manifest.format}, which does not say how "
            "its views were joined; build it anew."
        )
    return FeatureService(
        manifest.service,
        features=tuple(_selection(registry, manifest, view) for view in manifest.views.values()),
        owner="manifest",
    )


def _continuation(service: FeatureService, manifest: Manifest, stored: DataFrame) -> Continuation:
    """The derived views of which facts after the newest as-of were derived for it, up to its newest label time."""
    tables = {view.table for view in manifest.views.values() if view.derived_from}
    views = (selection.view for selection in service.features if key_of(selection.view) in tables)
    continued = {key_of(view): view for view in views if isinstance(view, DerivedView)}
    return Continuation(continued, newest_label_us(stored) if continued else None)


def _selection(registry: Registry, manifest: Manifest, view: ViewPart) -> Selection:
    definition = registry.by_key.get(view.table)
    if definition is None:
        raise NotReproduced(
            f"training set '{manifest.called}' reads {view.table}, which '{registry.package}' no longer declares; "
            "verify it with the definitions of its time (--definitions)."
        )
    now = fingerprints(definition)
    changed = [name for name, fingerprint in view.features.items() if now.get(name) != fingerprint]
    if definition.includes_label_instant != view.includes_label_instant:
        changed.append("includes_label_instant")
    if changed:
        raise NotReproduced(
            f"training set '{manifest.called}': {view.table} means something else now ({', '.join(changed[:5])}); "
            "verify it with the definitions of its time (--definitions)."
        )
    return Selection(definition, Entity(view.entity, view.keys), tuple(view.features), view.role, view.max_age)


def _stored_rows(context: Context, manifest: Manifest) -> DataFrame:
    """The stored rows. Raises TrainingSetErased when any of the tables that the manifest names is gone."""
    named = NamedVersions(context.warehouse, lambda path, version: _files_by_spark(context, path, version))
    lost = list(named.lost(manifest))
    if lost:
        texts = "; ".join(each.text for each in lost)
        raise TrainingSetErased(
            f"training set '{manifest.called}' is erased: {texts}. What was trained on it can't be checked any more."
        )
    return rows_of(context, manifest)


def _files_by_spark(context: Context, path: str, version: int | None) -> list[str]:
    if not exists(context.spark, path):  # first: Spark may still have a log in memory that was deleted
        raise TableMissing(f"there is no table at {path} any more")
    return [unquote(name) for name in read(context.spark, path, version=version).inputFiles()]


def _unlike(rebuilt: DataFrame, columns: Sequence[str]) -> dict[str, int]:
    counts = [
        F.count_if(~quoted(name).eqNullSafe(F.col(_STORED.format(number)))).alias(str(number))
        for number, name in enumerate(columns)
    ]
    row = rebuilt.agg(*counts).collect()[0]
    return {name: row[str(number)] for number, name in enumerate(columns) if row[str(number)]}
