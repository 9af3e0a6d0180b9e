"""CSV as RFC 4180 has it, record by record, against a reader that looks at one character after the other."""

import csv
import io
from collections.abc import Iterator

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.files import csv_blocks
from lakehouse.files.csv_blocks import BROKEN_QUOTE, Dialect
from lakehouse.files.csv_reader import HEADER_AGAIN, TOO_FEW, TOO_MANY, CsvFormat, csv_batches, csv_header
from lakehouse.files.text_stream import Unreadable, utf8_chunks

KEPT = CsvFormat(empty_is_null=False)
Row = tuple[tuple[str | None, ...] | str, str, int]  # values or the problem, the raw text, the line


def rows(
    content: bytes, format_: CsvFormat = KEPT, *, columns: tuple[str, ...] | None = None, chunk: int = 1 << 20
) -> list[Row]:
    """What is read, in the order of the file."""

    def chunks() -> Iterator[bytes]:
        pieces = (content[n : n + chunk] for n in range(0, len(content), chunk))
        return utf8_chunks(iter(pieces), format_.encoding)

    header = csv_header(chunks(), format_)
    if header is None:
        return []
    batches = list(csv_batches(chunks(), format_, columns or header.names))
    if not batches:
        return []
    table = pa.Table.from_batches(batches)
    read = zip(*(column.to_pylist() for column in table.columns), strict=True)
    found = [(problem or tuple(values), original, line) for *values, problem, original, line in read]
    return sorted(found, key=lambda row: row[2])


def slowly(text: str, dialect: Dialect) -> list[Row]:
    """The same by the grammar, one character after the other; no header."""
    separator, quote = dialect.separator, dialect.quote
    found: list[Row] = []
    position, line = 0, 1
    while position < len(text):
        fields, end = [], position
        while fields is not None:
            value = ""
            if quote and text[end : end + 1] == quote:
                end += 1
                while end < len(text) and (text[end] != quote or text[end : end + 2] == 2 * quote):
                    step = 2 if text[end] == quote else 1
                    value, end = value + text[end], end + step
                if end == len(text):
                    fields = None
                    break
                end += 1
            else:
                while end < len(text) and text[end] not in (separator, quote or separator, "\r", "\n"):
                    value, end = value + text[end], end + 1
            if end < len(text) and text[end] not in (separator, "\r", "\n"):
                fields = None
                break
            fields.append(value)
            if end == len(text) or text[end] != separator:
                break
            end += 1
        if fields is None:
            end = position
            while end < len(text) and text[end] not in "\r\n":
                end += 1
        raw = text[position:end]
        if raw:
            found.append((BROKEN_QUOTE if fields is None else tuple(fields), raw, line))
        if text[end : end + 2] == "\r\n":
            end += 2
        else:
            end += 1
        taken = text[position:end]
        line += taken.count("\n")
        position = end
    return found


def counted(read: list[Row], width: int) -> list[Row]:
    problems = {True: TOO_MANY, False: TOO_FEW}
    return [
        (values if isinstance(values, str) or len(values) == width else problems[len(values) > width], raw, line)
        for values, raw, line in read
    ]


@pytest.mark.parametrize(
    ("lines", "read"),
    [
        ('1,"say ""hi"" bob",T', [("1", 'say "hi" bob', "T")]),
        ('1,"a,b",T\r\n2,"c\nd",F\r\n', [("1", "a,b", "T"), ("2", "c\nd", "F")]),
        ('1,a,"x\r\ny"\n', [("1", "a", "x\r\ny")]),
        ("1,,\n\n\r\n,,\n", [("1", "", ""), ("", "", "")]),
        ("1,a\n2,a,T,more\n3,a,T", [TOO_FEW, TOO_MANY, ("3", "a", "T")]),
        ('1,"a\n2,b,T\n3,"c",T\n', [BROKEN_QUOTE, ("2", "b", "T"), ("3", "c", "T")]),
        ('1,5" pipe,T\n2,b,T\n', [BROKEN_QUOTE, ("2", "b", "T")]),
        ('1,"a"b,T\n2,b,T\n', [BROKEN_QUOTE, ("2", "b", "T")]),
        ('1,a,T\n2,b,"T', [("1", "a", "T"), BROKEN_QUOTE]),
        ("1,a\x00b,T\n", [("1", "a\x00b", "T")]),
        ("id,name,flag\n1,a,T\n", [HEADER_AGAIN, ("1", "a", "T")]),
        ("1,a,T\r2,b,F\r", [("1", "a", "T"), ("2", "b", "F")]),
        (f"1,{'x' * 500_000},T\n", [("1", "x" * 500_000, "T")]),
        ("", []),
    ],
)
def test_a_record_is_read_whole_or_has_its_problem(lines: str, read: list[object]) -> None:
    content = ("id,name,flag\n" + lines).encode()
    for chunk in (1, 7, 1 << 20) if len(content) < 1000 else (1 << 16, 1 << 20):
        assert [row[0] for row in rows(content, chunk=chunk)] == read


def test_a_problem_keeps_its_raw_text_and_its_line() -> None:
    content = b'id,name\r\n1,"a\r\nb"\r\n\r\n2,"c\r\n3,d,e\r\n4,f'
    assert rows(content) == [
        (("1", "a\r\nb"), '1,"a\r\nb"', 2),
        (BROKEN_QUOTE, '2,"c', 5),
        (TOO_MANY, "3,d,e", 6),
        (("4", "f"), "4,f", 7),
    ]


def test_records_are_counted_whatever_columns_are_read() -> None:
    content = b"id,name,flag\n1,a,T\n2,b\n3,c,T,more\n"
    for columns in (("id",), ("flag", "id"), ("nothing",), ()):
        assert [type(row[0]) for row in rows(content, columns=columns or ("id",))] == [tuple, str, str]
    assert rows(content, columns=("flag", "nothing"))[0][0] == ("T", None)


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [("utf-16", ""), ("utf-32", ""), ("utf-8-sig", ""), ("utf-16-le", "utf-16-le"), ("cp1252", "windows-1252"),
     ("shift_jis", "shift_jis"), ("iso-2022-jp", "iso-2022-jp"), ("utf-7", "utf-7"), ("cp037", "cp037")],
)  # fmt: skip
def test_every_encoding_is_read_by_its_mark_or_by_its_name(encoding: str, mark: str) -> None:
    name = (
        "Kösé"
        if encoding in ("cp1252", "cp037")
        else "カフェ"
        if encoding in ("shift_jis", "iso-2022-jp")
        else "Kösé カフェ 🚲"
    )
    content = f'id,name\n1,"{name}\n"\n2,{name}'.encode(encoding)
    for chunk in (1, 3, 1 << 20):
        read = rows(content, CsvFormat(encoding=mark), columns=("id", "name"), chunk=chunk)
        assert [row[0] for row in read] == [("1", f"{name}\n"), ("2", name)]


@pytest.mark.parametrize(
    ("content", "encoding", "raw"),
    [
        (b"id,name\n1,K\xf6se\n2,b\n", "", "1,K\\xf6se"),
        (b"id,name\n1,\xed\xa0\x80\n2,b\n", "utf-8", "1,\\xed\\xa0\\x80"),
        (b"id,name\n1,K\x81se\n2,b\n", "cp1252", "1,K\\x81se"),
        ("id,name\n1,#\n2,b\n".encode("utf-16-le").replace(b"#\x00", b"\x00\xd8"), "utf-16-le", "1,\\x00\\xd8"),
    ],
)
def test_bytes_that_are_not_of_the_encoding_cost_their_record(content: bytes, encoding: str, raw: str) -> None:
    bad, good = rows(content, CsvFormat(encoding=encoding))
    assert "name the encoding of the files (options: encoding:)" in str(bad[0])
    assert (bad[1:], good) == ((raw, 2), (("2", "b"), "2,b", 3))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'id,"name\n1,a\n', "has no header: in its line 1 a quote is not closed"),
        (b"id,n\xe4me\n1,a\n", "it is not utf-8: name the encoding"),
        (b"PK\x03\x04\x00\x00", "its first bytes are those of a ZIP archive or a workbook"),
        (b"\x1f\x8b\x08\x00", "its first bytes are those of gzip; name it .gz"),
    ],
)
def test_a_file_without_a_header_or_of_another_kind_is_told_by_what_it_is(content: bytes, why: str) -> None:
    with pytest.raises(Unreadable) as told:
        rows(content)
    assert why in str(told.value)


def test_an_empty_file_has_no_header_and_a_header_alone_no_records() -> None:
    assert csv_header(iter([b"\n\r\n"]), KEPT) is None
    assert rows(b"id,name") == rows(b"\xef\xbb\xbfid,name\r\n\r\n") == []
    assert csv_header(iter([b'\n"a\nb",""\n']), KEPT).names == ("a\nb", "")
    assert csv_header(iter([b",b,\n"]), KEPT).names == ("", "b", "")
    assert [row[0] for row in rows(b"1,a\n2,b\n", CsvFormat(has_header=False))] == [("1", "a"), ("2", "b")]


def test_empty_text_is_null_unless_it_is_kept() -> None:
    content = b'id,name\n,""\n" ",x\n'
    assert [row[0] for row in rows(content, CsvFormat())] == [(None, None), (" ", "x")]
    assert [row[0] for row in rows(content)] == [("", ""), (" ", "x")]


def test_a_line_without_an_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_blocks, "LONGEST_RECORD", 1000)
    with pytest.raises(Unreadable, match="has a line 2 of more than"):
        rows(b"id\n" + b"x" * 5000, chunk=100)
    far = rows(b'id\n"open\n' + b"2\n" * 2000, chunk=100)
    assert [row[0] for row in far[:3]] == [BROKEN_QUOTE, ("2",), ("2",)]
    assert len(far) == 2001


CELLS = st.text(st.characters(codec="utf-8"), max_size=8)
SOUP = st.text(st.sampled_from("ab\",;\r\n'é "), max_size=60)
DIALECTS = st.builds(Dialect, separator=st.sampled_from(",;\t|"), quote=st.sampled_from(["", '"', "'"]))


@settings(max_examples=300, deadline=None)
@given(soup=SOUP, dialect=DIALECTS, chunk=st.integers(1, 70), width=st.integers(1, 3))
def test_whatever_stands_there_is_read_as_the_grammar_says(soup: str, dialect: Dialect, chunk: int, width: int) -> None:
    header = dialect.separator.join(f"h{n}" for n in range(width))
    wanted = [(values, raw, line + 1) for values, raw, line in counted(slowly(soup, dialect), width)]
    if "\r" in soup.replace("\r\n", ""):  # lines are counted by their line feeds
        wanted = [(values, raw, 0) for values, raw, _ in wanted]
    read = rows(f"{header}\n{soup}".encode(), CsvFormat(dialect=dialect, empty_is_null=False), chunk=chunk)
    if wanted and wanted[0][2] == 0:
        read, wanted = (
            sorted((str(row[0]), row[1], 0) for row in read),
            sorted((str(row[0]), row[1], 0) for row in wanted),
        )
    assert read == wanted


@settings(max_examples=200, deadline=None)
@given(
    table=st.integers(2, 4).flatmap(
        lambda n: st.lists(st.lists(CELLS, min_size=n, max_size=n), max_size=8).map(lambda t: (n, t))
    ),
    ends=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    chunk=st.integers(1, 100),
)
def test_what_python_writes_is_read_cell_by_cell(
    table: tuple[int, list[list[str]]], ends: str, quoting: int, chunk: int
) -> None:
    width, cells = table
    if "\r" in "".join(map("".join, cells)):  # which Python leaves unquoted where lines end with LF
        quoting = csv.QUOTE_ALL
    written = io.StringIO()
    writer = csv.writer(written, lineterminator=ends, quoting=quoting)
    writer.writerows([[f"h{n}" for n in range(width)], *cells])
    read = rows(written.getvalue().encode(), chunk=chunk)
    assert [row[0] for row in read] == [tuple(row) for row in cells]
