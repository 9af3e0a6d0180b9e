"""Columns of a source: their types, units, names in the files, and what is done with local times and NaN."""

import re
from dataclasses import dataclass
from enum import StrEnum

from definitions.clocks import check_epoch
from definitions.errors import DefinitionError
from definitions.names import RESERVED, check_name
from definitions.types import check_type
from definitions.zones import check_zone

_PART = re.compile(r"\{([^{}]+)\}")


class Nan(StrEnum):
    """What becomes of a row with NaN in a double column: it is quarantined, or the NaN becomes null (S23)."""

    REFUSE = "refuse"
    NULL = "null"


@dataclass(frozen=True)
class Column:
    """One typed column of a source. `delivered` is its name in the files, `computed` an expression over the others.

    A floating number delivered for a decimal must be a whole number of its last digit up to representation noise.
    `zone` is the zone of the clock from which naive local times were read (S3).
    `epoch`: a timestamp is delivered as a number since 1970, of seconds (`s`), `ms` or `us`.
    `combined`: text with the names of delivered columns in braces, of which the value is read: the local time
    `"{day} {clock}"`, or `"{year}-{month}-{day} {hour}:00"`; a single digit gets a zero before it.
    `trim`: spaces and tabs around a text are dropped, and a blank is null; else text is as it was delivered.
    """

    name: str
    type: str
    required: bool = False
    unit: str = ""
    delivered: str = ""
    computed: str = ""
    zone: str = ""
    nan: Nan = Nan.REFUSE
    doc: str = ""
    trim: bool = False
    epoch: str = ""
    combined: str = ""

    def __post_init__(self) -> None:
        check_name(self.name, "column")
        check_type(self.type, f"column '{self.name}'")
        if self.name in RESERVED:
            raise DefinitionError(
                f"column '{self.name}' has a name that Ziggurat writes itself; rename it with delivered='{self.name}'."
            )
        if self.zone:
            check_zone(self.zone, f"column '{self.name}'")
        self._check_reading()

    def _check_reading(self) -> None:
        where = f"column '{self.name}'"
        if self.epoch:
            check_epoch(self.epoch, where)
        if self.epoch and self.type != "timestamp":
            raise DefinitionError(f"{where} is a {self.type}; epoch='{self.epoch}' is for timestamps.")
        if self.epoch and self.zone:
            raise DefinitionError(f"{where} has an epoch and a zone; numbers since 1970 are in UTC, drop the zone.")
        if self.trim and self.type != "string":
            raise DefinitionError(f"{where} is a {self.type}; trim is for strings, blanks around others are dropped.")
        if self.combined and not self.parts:
            raise DefinitionError(f"{where} names no columns; write them in braces: combined='{{day}} {{hour}}:00'.")
        if self.combined and (self.computed or self.delivered or self.type not in ("timestamp", "date")):
            raise DefinitionError(f"{where}: combined is for timestamps and dates, without computed and delivered.")

    @property
    def delivered_name(self) -> str:
        return self.delivered or self.name

    @property
    def parts(self) -> tuple[str, ...]:
        """The delivered columns that are combined, in the order of the text."""
        return tuple(_PART.findall(self.combined))

    @property
    def between_parts(self) -> tuple[str, ...]:
        """The text before, between and after the parts."""
        return tuple(_PART.split(self.combined)[::2])

    @property
    def delivered_names(self) -> tuple[str, ...]:
        """The columns of the files that its values are read from; none where it is computed."""
        if self.computed:
            return ()
        return tuple(dict.fromkeys(self.parts)) or (self.delivered_name,)
