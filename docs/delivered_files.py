"""The page docs/delivered-files.md: the cases of delivered files, as their tests read them."""

from collections.abc import Sequence
from textwrap import fill

from tests.spec.delivered.case import COLUMNS, Case
from tests.spec.delivered.cases import CASES, CHAPTERS
from ziggurat.model import Column

_NOTE = "<!-- Written by `python -m docs` from tests/spec/delivered. Change those, then run `make docs`. -->"
_INTRO = """\
What is read of a file, and what becomes of what can't be read? These {count} cases are examples. The tests write the
same bytes, read them as a source is read, and compare every value.

- **kept**: the facts, with the value of each declared column; `-` is null.
- **quarantined**: records that can't be used, with the reason and the original text, in the table
  [`quarantine/<source>`](tables.md). A delivery with too large a share of them stops the run.
- **refused**: the run stops with this sentence before anything of the source is written.

The rules are the same on every file system that Spark knows. Where it is not a disk or S3 (abfss, gs, hdfs, …), Spark's
tasks copy the files beside the warehouse while they are read, and a file of more than 128 MiB is refused by name.

Records in the files = kept + delivered again + quarantined, always. Where a case declares nothing else, the columns are
{columns}."""
_SHOWN = 300


def page() -> str:
    columns = ", ".join(map(_column, COLUMNS))
    parts = ["# What a delivered file may look like", _NOTE, _INTRO.format(count=len(CASES), columns=columns)]
    for chapter in CHAPTERS:
        parts += [f"## {chapter.title}", fill(chapter.introduction, 118)]
        parts += [text for case in chapter.cases for text in _case(case)]
    return "\n\n".join(parts) + "\n"


def _case(case: Case) -> list[str]:
    parts = [f"**{case.says}**"]
    declared = [f"`{name}: {value!r}`" for name, value in case.options.items()]
    if case.path:
        declared.append(f"the path is `{case.path}`")
    if case.columns != COLUMNS:
        declared.append(f"columns {', '.join(map(_column, case.columns))}")
    if declared:
        parts.append(f"Declared: {'; '.join(declared)}.")
    parts += [f"```\n{_files(case)}\n```", *_answer(case)]
    return parts


def _files(case: Case) -> str:
    return "\n".join(line for name, content in case.files.items() for line in (f"{name}:", *_lines(content)))


def _lines(content: bytes) -> list[str]:
    """The bytes line by line, as Python writes them where they are not plain text."""
    if content.startswith((b"\x1f\x8b", b"BZh")):  # whose bytes are another library's choice
        return ["    (compressed)"]
    if len(content) > _SHOWN and b"\n" not in content[:_SHOWN]:
        return [f"    {len(content)} bytes"]
    return [f"    {_line(line)}" for line in content.splitlines(keepends=True)] or ["    (empty)"]


def _line(line: bytes) -> str:
    short = line if len(line) <= 100 else line[:40] + b"..." + line[-20:]
    try:
        text = short.decode()
    except UnicodeDecodeError:
        return repr(short)
    plain = text.removesuffix("\n")
    return plain if plain.isprintable() else repr(short)


def _answer(case: Case) -> list[str]:
    if case.refused:
        return [f"refused: {case.refused.replace('{folder}/', '').replace('{{', '{').replace('}}', '}')} …"]
    parts = []
    if case.kept:
        parts.append("kept:\n\n" + _table([column.name for column in case.columns], case.kept))
    if case.quarantined:
        parts.append("quarantined:\n\n" + _table(["reason", "original"], case.quarantined))
    return parts


def _table(header: Sequence[str], rows: Sequence[Sequence[str | None]]) -> str:
    lines = [header, ["---"] * len(header), *([_cell(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: str | None) -> str:
    if value is None:
        return "-"
    short = value if len(value) <= 60 else f"{value[:20]}...{value[-10:]}"
    shown = short if short.isprintable() and short else repr(short)
    return f"`{shown}`".replace("|", "\\|")


def _column(column: Column) -> str:
    read = {"delivered": column.delivered, "zone": column.zone, "epoch": column.epoch, "combined": column.combined}
    how = [f"{name} `{value}`" for name, value in read.items() if value] + (["trimmed"] if column.trim else [])
    return f"`{column.name} {column.type}`" + (f" ({', '.join(how)})" if how else "")
