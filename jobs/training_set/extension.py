"""The rows of a training set's next version: what can be taken over is, and the rest is joined."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame

from jobs.run.context import Context
from jobs.training_set.publish import BuildResult
from jobs.training_set.reuse import CurrentVersion, new_rows, unknown_points, with_known
from jobs.training_set.split import Split
from jobs.training_set.split_request import SPLIT
from pit_join import History, evidence_column
from temporal.comparable import quoted


@dataclass(frozen=True, kw_only=True)
class Extension:
    """What is asked: the staged spine, the histories, the columns that features hang on, and the split.

    standing, kept: the version in force, and the histories whose columns are taken over from it. join: spine rows and
    histories in, features and evidence out. staged: stores a frame under a name and reads it back.
    """

    context: Context
    spine: DataFrame
    histories: Sequence[History]
    features: Sequence[str]
    points: Sequence[str]
    split: Split | None
    standing: CurrentVersion | None
    kept: set[str]
    join: Callable[[DataFrame, Sequence[History]], DataFrame]
    staged: Callable[[DataFrame, str], DataFrame]

    def made(self) -> BuildResult:
        fresh = tuple(history.name for history in self.histories if history.name not in self.kept)
        added = None if fresh else self._added()
        written = self._written(self.spine if added is None else added, is_few=added is not None)
        rows, evidence = self._select(written, self.columns), self._select(written, [*self.points, *self._evidence])
        if added is None or self.standing is None:
            return BuildResult(written, rows, evidence, None, fresh)
        whole = self._select(self.standing.rows, self.columns).unionByName(rows)
        told = self._select(self.standing.evidence, evidence.columns).unionByName(evidence)
        return BuildResult(written, whole, told, added.count(), fresh)

    @property
    def columns(self) -> list[str]:
        return [*self.spine.columns, *self.features, *([SPLIT] if self.split else [])]

    @property
    def _evidence(self) -> list[str]:
        return [evidence_column(history.name) for history in self.histories]

    def _added(self) -> DataFrame | None:
        """The rows to append; None where rows left, or where those that stand are not to stay as they are."""
        standing = self.standing
        if standing is None or not standing.is_newest(self.context) or standing.rows.columns != self.columns:
            return None
        if Split.of_manifest(standing.manifest.split) != self.split:
            return None
        new = new_rows(self.spine, standing)
        if new is None:
            return None
        staged = self.staged(new, "new")
        # Rows that stand + new ones = rows of the spine: then none of those that stand has left it.
        return staged if standing.manifest.data["rows"] + staged.count() == self.spine.count() else None

    def _written(self, rows: DataFrame, *, is_few: bool) -> DataFrame:
        keeping = [history for history in self.histories if history.name in self.kept]
        fresh = [history for history in self.histories if history.name not in self.kept]
        if self.standing is not None and keeping:
            known = self.standing.known_points(self.points, keeping, of=rows if is_few else None)
            found = self.join(unknown_points(rows, known, self.points), keeping)
            rows = with_known(rows, known.unionByName(found), self.points)
        joined = self.join(rows, fresh) if fresh else rows
        if self.split is not None:
            joined = joined.withColumn(SPLIT, self.split.column())
        return self.staged(self._select(joined, [*self.columns, *self._evidence]), "joined")

    @staticmethod
    def _select(frame: DataFrame, names: Sequence[str]) -> DataFrame:
        return frame.select(*(quoted(name) for name in names))
