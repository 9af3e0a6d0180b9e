"""Where files are delivered, in which format, and the options that say how they are read."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from definitions.errors import UsageError, did_you_mean

TEXT_FORMATS = ("csv", "json")
PATTERN, ENCODING, EMPTY, HEADER, SEPARATOR, QUOTE = "pattern", "encoding", "empty", "header", "sep", "quote"
OPTIONS: Mapping[str, tuple[str, ...]] = {
    "csv": (HEADER, SEPARATOR, QUOTE, ENCODING, EMPTY, PATTERN),
    "json": (ENCODING, EMPTY, PATTERN),
    "parquet": (PATTERN,),
    "delta": (),
}


@dataclass(frozen=True)
class Location:
    """A file, a folder or a Delta table. Raises UsageError for an option that its format does not have."""

    path: str
    format: str = "parquet"
    options: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if problem := wrong_option(self.format, self.options):
            raise UsageError(f"{self.path}: {problem}")

    @property
    def is_text(self) -> bool:
        return self.format in TEXT_FORMATS

    def option(self, name: str, default: str = "") -> str:
        return self.options.get(name, default)


def wrong_option(format_: str, options: Mapping[str, str]) -> str:
    """What is wrong with the options of a format, as a sentence; empty where nothing is."""
    known = OPTIONS[format_]
    unknown = next((name for name in options if name not in known), None)
    if unknown is None:
        return ""
    near = did_you_mean(unknown, known) if known else ""
    return f"{format_} has no option '{unknown}'.{near}"
