"""A stored training set, as other jobs need it: its rows, and what they were made of."""

from collections.abc import Mapping
from dataclasses import dataclass

from definitions.services import FeatureService


@dataclass(frozen=True, kw_only=True)
class StoredSet:
    """`key` and `version` name the table of its rows, `release` the versions of the views that were joined.

    keys: the service's join key -> the spine's column, where the names differ. continued: the derived views, by table
    key, of which it has facts of after their newest as-of.
    """

    key: str
    version: int
    service: FeatureService
    release: int
    keys: Mapping[str, str]
    continued: frozenset[str] = frozenset()
