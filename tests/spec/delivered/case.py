"""One delivery drawn as the bytes of its files, and what becomes of it: kept, quarantined or refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ziggurat.model import Column, Kind, Source

COLUMNS = (Column("id", "bigint", required=True), Column("name", "string"), Column("price", "decimal(8,2)"))


@dataclass(frozen=True, kw_only=True)
class Case:
    """says: the rule, a sentence. files: by their paths below the location, unless that is a `path` below it.

    kept: the rows, as text by the order of the columns, null as None. quarantined: reason and original of each
    record. refused: what the error says, `{folder}` for the location; nothing of the delivery is read then.
    """

    says: str
    files: Mapping[str, bytes]
    format: str = "csv"
    options: Mapping[str, str] = field(default_factory=dict)
    columns: tuple[Column, ...] = COLUMNS
    path: str = ""
    kept: tuple[tuple[str | None, ...], ...] = ()
    quarantined: tuple[tuple[str, str], ...] = ()
    refused: str = ""

    @property
    def source(self) -> Source:
        return Source(name="things", kind=Kind.STATIC, version=1, owner="tests", columns=self.columns)


@dataclass(frozen=True)
class Chapter:
    title: str
    introduction: str
    cases: tuple[Case, ...]
