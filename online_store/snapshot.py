"""What a snapshot in an online store holds, as data: views, services, and which release they came from.

The standard library only: what answers from a store reads this first, in milliseconds.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import KW_ONLY, asdict, dataclass
from typing import Any, Self

from online_store.errors import OnlineStoreError

FORMAT = 2
"""Of everything a snapshot consists of: keys, values, description, and their files. A change is a new number."""
_CONTENT = 1
"""Of what a snapshot says, however it lies in files: its id is the same in every format."""
LONGEST_TABLE_NAME = 255


@dataclass(frozen=True)
class StoredColumn:
    """One column of a view's records; `fingerprint` is that of its meaning (S35)."""

    name: str
    type: str
    _: KW_ONLY
    unit: str = ""
    fingerprint: str = ""


@dataclass(frozen=True)
class StoredView:
    """One published view: a record per entity, with its columns in this order.

    `table` is the published table, e.g. `aggregate/household_spend/v1`, and `table_version` the one that was read;
    `definition` is the fingerprint of the view's meaning, `content_hash` that of the published rows (S34).
    The records of a static view have no age; they may lack both times.
    """

    table: str
    keys: tuple[tuple[str, str], ...]
    _: KW_ONLY
    columns: tuple[StoredColumn, ...]
    table_version: int
    definition: str
    rows: int
    content_hash: str
    is_static: bool = False

    def __post_init__(self) -> None:
        if len(self.table.encode()) > LONGEST_TABLE_NAME:
            raise OnlineStoreError(f"'{self.table}' is longer than {LONGEST_TABLE_NAME} bytes; give it a shorter name.")

    @property
    def key_types(self) -> tuple[str, ...]:
        return tuple(type_ for _, type_ in self.keys)

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


@dataclass(frozen=True)
class StoredSelection:
    """What a service takes from one view; `name` is the prefix of its columns, e.g. `referrer_household_spend`.

    `keys` pairs a spine's key with the view's, in the order of the view's keys. `max_age_us` is S18's limit.
    """

    name: str
    table: str
    _: KW_ONLY
    keys: tuple[tuple[str, str], ...]
    features: tuple[str, ...]
    max_age_us: int | None = None


@dataclass(frozen=True)
class StoredService:
    name: str
    fingerprint: str
    _: KW_ONLY
    selections: tuple[StoredSelection, ...]


@dataclass(frozen=True)
class SnapshotDescription:
    """One as-of of one release, for the services that it can answer. `as_of` is the text of `as_of_us`."""

    as_of: str
    as_of_us: int
    _: KW_ONLY
    known_at_us: int
    release: int
    views: tuple[StoredView, ...]
    services: tuple[StoredService, ...]

    def __post_init__(self) -> None:
        tables = [view.table for view in self.views]
        if twice := sorted({table for table in tables if tables.count(table) > 1}):
            raise OnlineStoreError(f"a snapshot can't hold '{twice[0]}' twice; describe each view once.")
        for service in self.services:
            for selection in service.selections:
                self._check(selection, service.name)

    def _check(self, selection: StoredSelection, service: str) -> None:
        view = next((view for view in self.views if view.table == selection.table), None)
        where = f"service '{service}', '{selection.name}'"
        if view is None:
            raise OnlineStoreError(f"{where}: the snapshot has no view '{selection.table}'; export it as well.")
        if unknown := [name for name in selection.features if name not in view.column_names]:
            raise OnlineStoreError(f"{where}: '{selection.table}' has no column '{unknown[0]}'; export it as well.")
        if (mapped := [key for _, key in selection.keys]) != (keys := [key for key, _ in view.keys]):
            raise OnlineStoreError(f"{where}: its keys name {mapped}, but '{selection.table}' has {keys}, in order.")

    @property
    def order(self) -> tuple[int, int, int]:
        """The newer wins (S33)."""
        return self.as_of_us, self.known_at_us, self.release

    @property
    def snapshot_id(self) -> str:
        """The as-of and a digest of what is answered from: the same values have the same id (S28).

        A later release of other as-ofs moves the tables' versions, and changes nothing here.
        """
        views = [{**view, "table_version": None} for view in self.to_fields()["views"]]
        content = json.dumps([_CONTENT, {**self.to_fields(), "release": None, "views": views}], sort_keys=True).encode()
        return f"{self.as_of.replace(':', '')}-{hashlib.sha256(content).hexdigest()[:12]}"

    def view(self, table: str) -> StoredView:
        return next(view for view in self.views if view.table == table)

    def to_fields(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> Self:
        """Raises KeyError, TypeError or ValueError for fields that no version of this format wrote."""
        views = tuple(_view(view) for view in fields["views"])
        services = tuple(_service(service) for service in fields["services"])
        return cls(**{**fields, "views": views, "services": services})

    def to_json(self) -> str:
        return json.dumps(self.to_fields(), indent=1, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        return cls.from_fields(json.loads(text))


def _view(fields: dict[str, Any]) -> StoredView:
    columns = tuple(StoredColumn(**column) for column in fields["columns"])
    return StoredView(**{**fields, "keys": _pairs(fields["keys"]), "columns": columns})


def _service(fields: dict[str, Any]) -> StoredService:
    selections = (
        StoredSelection(**{**s, "keys": _pairs(s["keys"]), "features": tuple(s["features"])})
        for s in fields["selections"]
    )
    return StoredService(**{**fields, "selections": tuple(selections)})


def _pairs(of: Sequence[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((first, second) for first, second in of)
