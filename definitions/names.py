"""Names of what is declared: how they are written, and which column names Ziggurat keeps for itself."""

import re
from collections.abc import Sequence

from definitions.errors import DefinitionError

RESERVED = frozenset({"event_time", "available_time", "superseded_at", "known_at", "event_date", "loaded_at", "as_of"})
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def check_name(name: str, where: str) -> None:
    """Raises DefinitionError for anything but small letters, digits and _, a letter first."""
    if not _NAME.fullmatch(name):
        raise DefinitionError(f"{where}: '{name}' is not a name; use small letters, digits and _, a letter first.")


def first_duplicate(names: Sequence[str]) -> str | None:
    """The first name, in the order of the alphabet, that occurs more than once."""
    return min((name for name in names if names.count(name) > 1), default=None)
