"""Verbs of a workspace that give rows to a model: training sets, stored or not, and batch frames."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from definitions.durations import instant_us
from definitions.errors import DefinitionError, UsageError
from definitions.registry import Registry
from ziggurat.settings import Settings

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import pandas as pd
    from pyspark.sql import DataFrame

    from jobs.run.context import Context
    from jobs.training_set.diff import Difference
    from jobs.training_set.job import TrainingSet, TrainingSetRequest
    from jobs.training_set.manifest import Manifest
    from jobs.training_set.verify import Verification
    from pit_join import Choice


class ModelRows(ABC):
    """What `Workspace` inherits; see there."""

    registry: Registry

    @property
    @abstractmethod
    def settings(self) -> Settings: ...

    @property
    @abstractmethod
    def context(self) -> "Context": ...

    def training_set(
        self,
        service: str,
        spine: "str | DataFrame | pd.DataFrame",
        *,
        keys: Mapping[str, str] | None = None,
        types: Mapping[str, str] | None = None,
        knowledge: str = "at_label",
        strategy: str = "auto",
        beyond_reach: str = "warn",
    ) -> "DataFrame":
        """The spine with the service's features as they were known at each row's label_time; nothing is written.

        spine: join keys, `label_time` and any other columns, which stay: a Spark or pandas frame, a path, a table or
        the name of a label. keys: {"household_id": "customer"} where the spine calls a key otherwise. types:
        {"price": "double"} for columns of CSV files, which are text else. The features follow in the service's order as
        `{view}__{feature}`; null where nothing was known. As many rows as the spine. strategy:
        auto, sql, arrow or colocated; none changes the answer. beyond_reach: warn notes how many rows lie
        after what a source of events reaches, refuse raises LabelTimeError for them.

        The frame is lazy: Spark reads and joins when you use it. Facts of derived views that are not stored are
        computed once before it returns, so that ExpressionFailed is raised here, and not in Spark's words later.
        """
        from jobs.training_set.job import training_frame

        options = {"strategy": strategy, "types": types or {}, "beyond_reach": beyond_reach}
        return training_frame(self.context, self._request(service, spine, keys, knowledge, **options))

    def explain_training_set(
        self,
        service: str,
        spine: "str | DataFrame | pd.DataFrame",
        *,
        keys: Mapping[str, str] | None = None,
        types: Mapping[str, str] | None = None,
        knowledge: str = "at_label",
        strategy: str = "auto",
    ) -> "list[Choice]":
        """By which strategy each view would be joined, and why; nothing is joined."""
        from jobs.training_set.job import explain_training_set

        return explain_training_set(
            self.context, self._request(service, spine, keys, knowledge, types=types or {}, strategy=strategy)
        )

    def build_training_set(
        self,
        service: str,
        spine: "str | DataFrame | pd.DataFrame",
        *,
        name: str,
        keys: Mapping[str, str] | None = None,
        types: Mapping[str, str] | None = None,
        knowledge: str = "at_label",
        strategy: str = "auto",
        split: str = "",
        split_at: str = "",
        gap: str = "",
        format: str = "delta",
        beyond_reach: str = "warn",
    ) -> "TrainingSet":
        """The same, stored under a name with its manifest and certificate; one that stands is extended.

        split: `0.7,0.15,0.15`, the shares of train, validation and test by label time; or split_at: `T,T`, where
        validation and test begin. Before each boundary a gap is left: the label's horizon, or `gap`. format: parquet
        writes a copy beside the Delta table. beyond_reach: rows after what a source of events reaches are warned of in
        the certificate, or refused (`refuse`).
        """
        from jobs.training_set.job import build_training_set
        from jobs.training_set.split import parse_split

        options = {
            "strategy": strategy,
            "types": types or {},
            "format": format,
            "split": parse_split(split, split_at, gap),
            "beyond_reach": beyond_reach,
        }
        return build_training_set(self.context, self._request(service, spine, keys, knowledge, **options), name=name)

    def _request(
        self,
        service: str,
        spine: "str | DataFrame | pd.DataFrame",
        keys: Mapping[str, str] | None,
        knowledge: str,
        **options: Any,
    ) -> "TrainingSetRequest":
        from jobs.training_set.job import TrainingSetRequest

        declared = self.registry.service(service)
        return TrainingSetRequest(service=declared, spine=spine, keys=keys or {}, knowledge=knowledge, **options)

    def read_training_set(self, name: str, *, version: int | None = None) -> "DataFrame":
        """The rows of a stored training set, as its manifest names them; version: an older one's."""
        from jobs.training_set.job import read_training_set

        return read_training_set(self.context, name, version=version)

    def verify_training_set(self, manifest: str) -> "Verification":
        """Build one again from its manifest (a name, name@version or path) and compare; `is_same` is the verdict."""
        from jobs.training_set.verify import verify_training_set

        return verify_training_set(self.context, self._manifest(manifest))

    def prove_training_set(self, name: str) -> "Manifest":
        """The leak test: rebuild rows of a training set with its future changed; no cell may differ.

        The result is written into its manifest, certificate and card. Raises FutureLeak when a cell changed.
        """
        from jobs.leak_test.job import leak_test
        from jobs.training_set.leak_tested import record_leak_test

        return record_leak_test(self.context, name, leak_test)

    def diff_training_sets(self, a: str, b: str) -> "Difference":
        """Which cells of two (names, name@version or paths) differ, and why."""
        from jobs.training_set.diff import diff_training_sets

        return diff_training_sets(self.context, self._manifest(a), self._manifest(b))

    def _manifest(self, text: str) -> "Manifest":
        from jobs.training_set.manifest_files import manifest_called
        from lakehouse.tables import Warehouse

        return manifest_called(Warehouse(self.settings.warehouse), text)

    def manifest(self, name: str) -> "Manifest":
        """What a stored training set (a name or name@version) is and came from, with its certificate and card.

        Starts no Spark.
        """
        return self._manifest(name)

    def batch_frame(
        self,
        service: str,
        *,
        as_of: str,
        entities: "str | DataFrame | pd.DataFrame | None" = None,
        keys: Mapping[str, str] | None = None,
        beyond_reach: str = "warn",
    ) -> "DataFrame":
        """What a model scores: the newest known features of all entities, or of those given, when as_of is out.

        Keys, label_time, the features in the service's order, then `{view}__age` in seconds (null: nothing known). The
        frame is lazy, as that of `training_set`, and beyond_reach is as there.
        """
        from jobs.training_set.batch_frame import batch_frame

        request = self._to_score(service, entities, keys, beyond_reach)
        return batch_frame(self.context, request, given_instant(as_of, "as_of"))

    def opened_batch_frame(
        self,
        service: str,
        *,
        as_of: str,
        entities: "str | DataFrame | pd.DataFrame | None" = None,
        keys: Mapping[str, str] | None = None,
        beyond_reach: str = "warn",
    ) -> "AbstractContextManager[DataFrame]":
        """The same for a `with` block that evaluates it: joined view by view, with progress, and nothing twice.

        What can't be computed is raised in the block, by the name of its view and feature.
        """
        from jobs.training_set.batch_frame import opened_batch_frame

        request = self._to_score(service, entities, keys, beyond_reach)
        return opened_batch_frame(self.context, request, given_instant(as_of, "as_of"))

    def _to_score(
        self,
        service: str,
        entities: "str | DataFrame | pd.DataFrame | None",
        keys: Mapping[str, str] | None,
        beyond_reach: str,
    ) -> "TrainingSetRequest":
        given = entities if entities is not None else ""
        return self._request(service, given, keys, "at_label", beyond_reach=beyond_reach)


def given_instant(text: str, option: str) -> int:
    """An as-of in µs; a wrong one is a mistake of this call, not of a definition."""
    try:
        return instant_us(text, where=option)
    except DefinitionError as error:
        raise UsageError(str(error)) from None
