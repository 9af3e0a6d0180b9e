"""A training set as it is requested, and the outcome of building it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame

from definitions.errors import UsageError, did_you_mean
from definitions.services import FeatureService
from jobs.inputs.reach import BeyondReach, parse_beyond_reach
from jobs.spines.types import SpineTypes
from jobs.training_set.manifest import DELTA, FORMATS, Manifest, ManifestOptions, SplitRequest

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class TrainingSetRequest:
    """A spine, and the service whose features are joined to it. keys: the service's join key -> the spine's column.

    types: of other columns of the spine, which are text in CSV files; the content hash of the spine covers them.
    format: parquet writes a copy beside the Delta table. strategy: how to join; every strategy gives the same rows.
    beyond_reach: whether rows of later than a source reaches are counted and named (warn), or refused (refuse).
    """

    service: FeatureService
    spine: "str | DataFrame | pd.DataFrame"
    keys: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    knowledge: str = "at_label"
    split: SplitRequest | None = None
    format: str = DELTA
    strategy: str = "auto"
    beyond_reach: str = BeyondReach.WARN

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise UsageError(f"format '{self.format}' is unknown.{did_you_mean(self.format, FORMATS)}")
        parse_beyond_reach(self.beyond_reach)
        _ = self.spine_types  # refuses types that can't be declared

    @property
    def key_types(self) -> dict[str, str]:
        return {self.keys.get(key, key): type_ for key, type_ in self.service.keys}

    @property
    def spine_types(self) -> SpineTypes:
        return SpineTypes(self.key_types, self.types)

    @property
    def options(self) -> ManifestOptions:
        """All options that decide what is stored. The strategy is not one of them, nor is beyond_reach."""
        return ManifestOptions(knowledge=self.knowledge, keys=dict(self.keys), split=self.split, format=self.format)


@dataclass(frozen=True)
class TrainingSet:
    """The outcome of a build: the current manifest, and whether this run changed anything.

    added: rows that were appended; None where all rows were written anew. computed: the views that were joined for all
    rows; the other views' columns were taken over.
    """

    manifest: Manifest
    is_unchanged: bool
    seconds: float
    added: int | None = None
    computed: tuple[str, ...] = ()
