"""Records of a JSON file as text columns: every object is counted, as one to use or with its problem."""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pyarrow as pa

from lakehouse.files.folders import in_both
from lakehouse.files.json_objects import Found, Literal, json_objects
from lakehouse.files.text_batches import good_batch, problem_batch
from lakehouse.files.text_stream import WrongColumns, not_encoded, readable_text

HALF_PAIR = "it has half of a surrogate pair"
_ROWS = 20_000


@dataclass(frozen=True, kw_only=True)
class JsonFormat:
    """How the files are written. encoding: empty for UTF-8, or what a byte order mark says."""

    encoding: str = ""
    empty_is_null: bool = True


def json_keys(chunks: Iterator[str]) -> list[str]:
    """Every key of the objects, in the order of their first occurrence. Raises Unreadable."""
    keys: dict[str, None] = {}
    for found in json_objects(chunks):
        keys |= dict.fromkeys(found.value or ())
    return list(keys)


def json_batches(
    chunks: Iterator[str],
    format_: JsonFormat,
    columns: Sequence[str],
    *,
    seen: set[str] | None = None,
    outside: Collection[str] = (),
) -> Iterator[pa.RecordBatch]:
    """All records, with these columns: text as it is, numbers and truth values as they are written, nested values as
    JSON. A key that is missing, and null, are null. seen: gets those of the columns that a record has,
    and some other keys. outside: columns that no record may have, since the folder has them. Raises Unreadable.

    Cost: one pass; memory for a batch, or for the longest object.
    """
    objects = json_objects(chunks)
    while batch := list(islice(objects, _ROWS)):
        checked = [_checked(found, columns, format_.encoding) for found in batch]
        good = [found for found in checked if not found.problem]
        if both := next((name for name in outside if any(name in (f.value or ()) for f in good)), None):
            raise WrongColumns(in_both(both))
        if seen is not None and good:
            seen.update(good[0].value or ())
            seen.update(name for name in columns if name not in seen and any(name in (f.value or ()) for f in good))
        if good:
            values = [[_text(found.value, name, format_.empty_is_null) for found in good] for name in columns]
            raw, lines = [found.raw for found in good], [found.line for found in good]
            yield good_batch([pa.array(v, pa.string()) for v in values], pa.array(raw), pa.array(lines, pa.int64()))
        if bad := [found for found in checked if found.problem]:
            yield problem_batch(
                len(columns),
                [found.problem for found in bad],
                [readable_text(found.raw) for found in bad],
                [found.line for found in bad],
            )


def _checked(found: Found, columns: Sequence[str], encoding: str) -> Found:
    """With the problem of text that is not valid in its encoding, or in Unicode."""
    if not found.raw.isascii() and not _is_unicode(found.raw):
        return Found(found.raw, found.line, None, not_encoded(encoding))
    if "\\u" in found.raw and found.value is not None and not _is_unicode(_json([*map(found.value.get, columns)])):
        return Found(found.raw, found.line, None, HALF_PAIR)
    return found


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _text(record: dict[str, Any] | None, name: str, empty_is_null: bool) -> str | None:
    value = record.get(name) if record else None
    if value is None or (value == "" and empty_is_null):
        return None
    return str(value) if isinstance(value, str) else _json(value)


def _json(value: Any) -> str:
    """As `json.dumps` has it, but numbers as they were written."""
    if isinstance(value, Literal):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{_json(key)}:{_json(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
