"""A training set that is stored, as far as other jobs need to know it: its rows, and what they were made of."""

from collections.abc import Mapping
from dataclasses import dataclass

from definitions.services import FeatureService


@dataclass(frozen=True, kw_only=True)
class StoredSet:
    """`key` and `version` name the table of its rows, `release` the versions of the views that were joined.

    keys: what the spine calls a join key, where it calls it otherwise.
    """

    key: str
    version: int
    service: FeatureService
    release: int
    keys: Mapping[str, str]
