"""A training set as it is asked for, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame

from definitions.errors import UsageError, did_you_mean
from definitions.services import FeatureService
from jobs.training_set.manifest import Manifest
from jobs.training_set.split_request import SplitRequest

if TYPE_CHECKING:
    import pandas as pd

DELTA, PARQUET = FORMATS = ("delta", "parquet")


@dataclass(frozen=True, kw_only=True)
class TrainingSetRequest:
    """A training set as it was asked for. `keys`: the service's join key -> what the spine calls it.

    format: parquet writes a copy beside the Delta table. strategy: how to join; no strategy changes the answer.
    """

    service: FeatureService
    spine: "str | DataFrame | pd.DataFrame"
    keys: Mapping[str, str] = field(default_factory=dict)
    knowledge: str = "at_label"
    split: SplitRequest | None = None
    format: str = DELTA
    strategy: str = "auto"

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise UsageError(f"format '{self.format}' is unknown.{did_you_mean(self.format, FORMATS)}")

    @property
    def key_types(self) -> dict[str, str]:
        return {self.keys.get(key, key): type_ for key, type_ in self.service.keys}

    @property
    def options(self) -> dict[str, Any]:
        """As the manifest has them: all that decides what is stored. The strategy is no part of it."""
        told: dict[str, Any] = {"knowledge": self.knowledge, "keys": dict(self.keys)}
        split = {"split": self.split.told()} if self.split else {}
        return told | split | ({"format": self.format} if self.format != DELTA else {})


@dataclass(frozen=True)
class TrainingSet:
    """What became of it: the manifest in force, and whether this run changed anything.

    added: rows that were appended; None where the rows were written anew. computed: the views that were joined for all
    rows; the others' columns were taken over.
    """

    manifest: Manifest
    is_unchanged: bool
    seconds: float
    added: int | None = None
    computed: tuple[str, ...] = ()
