"""Columns of a source: their types, units, names in the files, and what is done with local times and NaN."""

from dataclasses import dataclass
from enum import StrEnum

from definitions.clocks import check_zone
from definitions.errors import DefinitionError
from definitions.names import RESERVED, check_name
from definitions.types import check_type


class Nan(StrEnum):
    """What becomes of a row with NaN in a double column: it is quarantined, or the NaN becomes null (S23)."""

    REFUSE = "refuse"
    NULL = "null"


@dataclass(frozen=True)
class Column:
    """One typed column of a source. `delivered` is its name in the files, `computed` an expression over the others.

    A floating number delivered for a decimal must be a whole number of its last digit up to representation noise.
    `zone` is the zone of the clock from which naive local times were read (S3).
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

    def __post_init__(self) -> None:
        check_name(self.name, "column")
        check_type(self.type, f"column '{self.name}'")
        if self.name in RESERVED:
            raise DefinitionError(
                f"column '{self.name}' has a name that Ziggurat writes itself; rename it with delivered='{self.name}'."
            )
        if self.zone:
            check_zone(self.zone, f"column '{self.name}'")

    @property
    def delivered_name(self) -> str:
        return self.delivered or self.name
