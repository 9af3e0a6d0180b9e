"""Where files are delivered, in which format, and the options that say how they are read."""

import codecs
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from encodings.aliases import aliases

from definitions.errors import UsageError, did_you_mean

TEXT_FORMATS = ("csv", "json")
PATTERN, ENCODING, EMPTY, HEADER, SEPARATOR, QUOTE = "pattern", "encoding", "empty", "header", "sep", "quote"
OPTIONS: Mapping[str, tuple[str, ...]] = {
    "csv": (HEADER, SEPARATOR, QUOTE, ENCODING, EMPTY, PATTERN),
    "json": (ENCODING, EMPTY, PATTERN),
    "parquet": (PATTERN,),
    "delta": (),
}
TRUE, NULL = "true", "null"
_WORDS = {HEADER: (TRUE, "false"), EMPTY: (NULL, "text")}


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
    if unknown := next((name for name in options if name not in known), None):
        return f"{format_} has no option '{unknown}'.{did_you_mean(unknown, known)}"
    problems = (_wrong_value(name, value) for name, value in options.items())
    return next((problem for problem in problems if problem), "") or _same_character(options)


def one_character(text: str) -> str:
    """A tab may be written as `\\t`."""
    return text.replace("\\t", "\t")


def _wrong_value(name: str, value: str) -> str:
    return next((check(name, value) for names, check in _CHECKS if name in names), "")


def _wrong_word(name: str, value: str) -> str:
    words = _WORDS[name]
    return "" if value in words else f"{name} is '{value}'; write {' or '.join(words)}."


def _wrong_character(name: str, value: str) -> str:
    character = one_character(value)
    is_one = len(character) == 1 and character.isascii() and character not in "\r\n\0"
    if is_one or (name == QUOTE and not value):
        return ""
    return f"{name} is '{value}'; write one ASCII character{' or nothing' if name == QUOTE else ''}."


def _same_character(options: Mapping[str, str]) -> str:
    separator, quote = (one_character(options.get(name, default)) for name, default in ((SEPARATOR, ","), (QUOTE, '"')))
    return f"{SEPARATOR} and {QUOTE} are both '{quote}'; write two characters." if separator == quote else ""


def _is_decoder(info: codecs.CodecInfo) -> bool:
    """Whether it reads text piece by piece, whatever bytes come: `idna`, `punycode` and `undefined` do not."""
    try:
        return info.incrementaldecoder is not None and info.incrementaldecoder("backslashreplace").decode(b"") == ""
    except UnicodeError:
        return False


def _wrong_encoding(name: str, value: str) -> str:
    try:
        info = codecs.lookup(value)
    except (LookupError, ValueError):
        return f"{name} '{value}' is unknown.{did_you_mean(value, set(aliases.values()) - {value})}"
    is_text = getattr(info, "_is_text_encoding", True) and _is_decoder(info)
    return "" if is_text else f"{name} '{value}' is no encoding of text; write e.g. utf-8 or windows-1252."


_CHECKS: tuple[tuple[tuple[str, ...], Callable[[str, str], str]], ...] = (
    (tuple(_WORDS), _wrong_word),
    ((SEPARATOR, QUOTE), _wrong_character),
    ((ENCODING,), _wrong_encoding),
)
