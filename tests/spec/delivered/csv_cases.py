"""CSV: RFC 4180, headers, encodings."""

import bz2
import codecs
import gzip

from lakehouse.files.csv_blocks import BROKEN_QUOTE
from lakehouse.files.csv_reader import HEADER_AGAIN, TOO_FEW, TOO_MANY
from lakehouse.files.text_stream import not_encoded
from tests.spec.delivered.case import Case, Chapter
from ziggurat.model import Column

_ONE, _TWO = ("1", "oak", "9.50"), ("2", "elm", "3.00")
_NUMBERED = (Column("id", "bigint", delivered="_c0"), Column("name", "string", delivered="_c1"))
_REST = ",1\n2,elm,3.00\n".encode("utf-16-le")
_TABLE = b"id,name,price\n1,oak,9.50\n2,elm,3.00\n"


def _csv(text: str) -> dict[str, bytes]:
    return {"a.csv": text.encode()}


FIELDS = Chapter(
    "Fields and records of CSV",
    "CSV is read as RFC 4180 has it. A record that can't be read costs itself alone: it goes to quarantine with its "
    "raw text, whichever columns are declared.",
    (
        Case(
            says="A quote inside quotes is doubled.",
            files=_csv('id,name,price\n1,"say ""hi"" bob",1.00\n'),
            kept=(("1", 'say "hi" bob', "1.00"),),
        ),
        Case(
            says="Separators and line breaks stand between quotes; lines end with LF or CR LF.",
            files=_csv('id,price,name\r\n1,1.00,"a,b"\r\n2,2.00,"c\nd"\r\n3,3.00,"e\r\nf"\r\n'),
            kept=(("1", "a,b", "1.00"), ("2", "c\nd", "2.00"), ("3", "e\r\nf", "3.00")),
        ),
        Case(
            says="A record with too many or too few fields is no fact, whatever columns are declared.",
            files=_csv("id,name,price,more\n1,oak,9.50\n1,oak,9.50,a,b\n2,elm,3.00,c\n"),
            kept=(_TWO,),
            quarantined=((TOO_FEW, "1,oak,9.50"), (TOO_MANY, "1,oak,9.50,a,b")),
        ),
        Case(
            says="A quote that is not closed, or that stands inside plain text, costs its own line.",
            files=_csv('id,name,price\n7,"open,1.00\n8,5" pipe,1.00\n9,"a"b,1.00\n1,"oak",9.50\n'),
            kept=(_ONE,),
            quarantined=(
                (BROKEN_QUOTE, '7,"open,1.00'),
                (BROKEN_QUOTE, '8,5" pipe,1.00'),
                (BROKEN_QUOTE, '9,"a"b,1.00'),
            ),
        ),
        Case(
            says="With `quote: ''`, quotes are text.",
            files=_csv('id,name,price\n8,5" pipe,1.00\n'),
            options={"quote": ""},
            kept=(("8", '5" pipe', "1.00"),),
        ),
        Case(
            says="Empty lines hold no record. Empty text is null, with quotes or without.",
            files=_csv('id,name,price\n\n1,"",9.50\n2,elm,\n\r\n'),
            kept=(("1", None, "9.50"), ("2", "elm", None)),
        ),
        Case(
            says="With `empty: text`, empty text stays text.",
            files=_csv('id,name,price\n1,"",9.50\n'),
            options={"empty": "text"},
            kept=(("1", "", "9.50"),),
        ),
        Case(
            says="A value that is not of its declared type sends its record to quarantine.",
            files=_csv("id,name,price\n1,oak,cheap\n2,elm,3.00\n"),
            kept=(_TWO,),
            quarantined=(("price is not a number", "1,oak,cheap"),),
        ),
        Case(
            says="Blanks around text are text.",
            files=_csv("id,name,price\n1, oak ,9.50\n"),
            kept=(("1", " oak ", "9.50"),),
        ),
        Case(
            says="A byte of value zero is text, and long fields are read whole.",
            files={"a.csv": b"id,name,price\n1,a\x00b,9.50\n2," + b"x" * 200 + b",3.00\n"},
            kept=(("1", "a\x00b", "9.50"), ("2", "x" * 200, "3.00")),
        ),
        Case(
            says="The header again, as in files that were written one behind the other, is no record.",
            files={"a.csv": _TABLE + _TABLE.replace(b"1,oak,9.50\n2,elm,3.00\n", b"")},
            kept=(_ONE, _TWO),
            quarantined=((HEADER_AGAIN, "id,name,price"),),
        ),
        Case(
            says="So is one that another tool wrote, with a byte order mark or in quotes.",
            files={"a.csv": _TABLE + codecs.BOM_UTF8 + b'id,name,price\n"id","name","price"\n'},
            kept=(_ONE, _TWO),
            quarantined=((HEADER_AGAIN, "\ufeffid,name,price"), (HEADER_AGAIN, '"id","name","price"')),
        ),
        Case(
            says="Another separator is an option.",
            files=_csv("id;name;price\n1;oak;9.50\n"),
            options={"sep": ";"},
            kept=(_ONE,),
        ),
    ),
)

HEADERS = Chapter(
    "The header of CSV",
    "Columns are found by their names, in each file by its own header. Columns that are not declared are left alone.",
    (
        Case(
            says="Files of one delivery may have their columns in different orders.",
            files={"a.csv": b"id,name,price\n1,oak,9.50\n", "b.csv": b"price,more,id,name\n3.00,x,2,elm\n"},
            kept=(_ONE, _TWO),
        ),
        Case(
            says="An empty file and a header alone bring nothing.",
            files={"a.csv": b"", "b.csv": b"\xef\xbb\xbfid,name,price\r\n", "c.csv": _TABLE},
            kept=(_ONE, _TWO),
        ),
        Case(
            says="A file without a declared column stops the run, and is named with the column (S37).",
            files={"a.csv": _TABLE, "b.csv": b"id,names\n3,ash\n"},
            refused="source 'things' at {folder}/b.csv has no column 'name'. Did you mean 'names'?",
        ),
        Case(
            says="A header with a name twice can't be read by names.",
            files=_csv("id,name,price,name\n"),
            refused="{folder}/a.csv can't be read: its header has the name 'name' twice; rename one of them",
        ),
        Case(
            says="Nor one whose names differ in case alone.",
            files=_csv("id,name,price,Name\n"),
            refused="its header has the names 'name' and 'Name', which differ in case alone; rename one of them",
        ),
        Case(
            says="Nor one with an empty name.",
            files=_csv(",id,name,price\n0,1,oak,9.50\n"),
            refused="its header has no name for column 1 of 4; write the name, or leave the column out",
        ),
        Case(
            says="Blanks around a declared name are told.",
            files=_csv("id, name, price\n1,oak,9.50\n"),
            refused="its header has blanks around the name ' name'; write 'name', or declare delivered=' name'",
        ),
        Case(
            says="Another separator is not guessed; the message names it.",
            files=_csv("id;name;price\n1;oak;9.50\n"),
            refused="its header is one name, 'id;name;price'; if its separator is ';', say so: options: {{sep: ';'}}",
        ),
        Case(
            says="Without a header, columns are called `_c0`, `_c1` and so on.",
            files={"a.csv": b"1,oak\n2,elm\n"},
            options={"header": "false"},
            columns=_NUMBERED,
            kept=(("1", "oak"), ("2", "elm")),
        ),
    ),
)

ENCODINGS = Chapter(
    "Encodings and compression of text",
    "Text is UTF-8, or what its byte order mark says, or the declared `encoding`: every one that Python knows. Files "
    "whose names end in .gz, .bz2, .zst or .lz4 are decompressed.",
    (
        Case(
            says="Bytes that are not valid in the encoding send their record to quarantine.",
            files={"a.csv": b"id,name,price\n1,K\xf6se,9.50\n2,elm,3.00\n"},
            kept=(_TWO,),
            quarantined=((not_encoded(""), "1,K\\xf6se,9.50"),),
        ),
        Case(
            says="The declared encoding reads them.",
            files={"a.csv": b"id,name,price\n1,K\xf6se,9.50\n"},
            options={"encoding": "windows-1252"},
            kept=(("1", "Köse", "9.50"),),
        ),
        Case(
            says="UTF-16 and UTF-32 are told by their byte order mark.",
            files={"a.csv": _TABLE.decode().encode("utf-16"), "b.csv": b"\xef\xbb\xbfid,name,price\n3,ash,1.00\n"},
            kept=(_ONE, _TWO, ("3", "ash", "1.00")),
        ),
        Case(
            says="Compressed files are read by their names.",
            files={
                "a.csv.gz": gzip.compress(_TABLE, mtime=0),
                "b.csv.bz2": bz2.compress(b"id,name,price\n3,ash,1.00\n"),
            },
            kept=(_ONE, _TWO, ("3", "ash", "1.00")),
        ),
        Case(
            says="What is not valid in the encoding that the mark says is shown as its bytes.",
            files={"a.csv": codecs.BOM_UTF16_LE + "id,name,price\n1,".encode("utf-16-le") + b"\x00\xd8" + _REST},
            kept=(_TWO,),
            quarantined=((not_encoded("utf-16-le"), r"1,\x00\xd8,1"),),
        ),
        Case(
            says="Without the mark, the message names the encoding to declare.",
            files={"a.csv": _TABLE.decode().encode("utf-16-le")},
            refused="{folder}/a.csv has no byte order mark and looks like utf-16-le; name the encoding",
        ),
        Case(
            says="A compressed file that was cut short is named.",
            files={"a.csv.gz": gzip.compress(_TABLE, mtime=0)[:-12]},
            refused="{folder}/a.csv.gz is no whole gzip file",
        ),
        Case(
            says="A file of another format is told by its first bytes, never shown.",
            files={"a.csv": gzip.compress(_TABLE, mtime=0)},
            refused="{folder}/a.csv is no text: its first bytes are those of gzip; name it .gz",
        ),
        Case(
            says="Text that begins as such files do is text.",
            files={"a.csv": b"ORCID,id,name,price\n0000-0001,1,oak,9.50\n"},
            kept=(_ONE,),
        ),
    ),
)
