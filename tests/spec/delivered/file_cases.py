"""Which files are read, whatever they are called, and columns in the names of folders."""

from tests.spec.delivered.case import COLUMNS, Case, Chapter
from ziggurat.model import Column

_HEADER = b"id,name,price\n"
_ONE, _TWO = ("1", "oak", "9.50"), ("2", "elm", "3.00")
_FIRST, _SECOND, _OTHER = _HEADER + b"1,oak,9.50\n", _HEADER + b"2,elm,3.00\n", _HEADER + b"7,fir,7.00\n"
_CODED = (*COLUMNS[:2], Column("code", "string"), Column("region", "string"))

LISTING = Chapter(
    "Which files are read",
    "One rule decides for the reader, for the size and for whether anything changed. A path is one file, or a folder "
    "with all that lies in it at any depth.",
    (
        Case(
            says="Files in folders below are read, too.",
            files={"a.csv": _FIRST, "sub/deep/b.csv": _SECOND},
            kept=(_ONE, _TWO),
        ),
        Case(
            says="What Spark and others write for themselves is no data: names that begin with `_` or a dot.",
            files={
                "a.csv": _FIRST, "_SUCCESS": b"", ".a.csv.crc": b"crc\x00", "_spark_metadata/0": b"v1",
                ".hidden/b.csv": _OTHER, "_temporary/c.csv": _OTHER,
            },
            kept=(_ONE,),
        ),
        Case(
            says="A file of another kind is refused by its name.",
            files={"a.csv": _FIRST, "README.md": b"About these files\n"},
            refused="{folder}/README.md is no csv by its name (.md). Move it away, rename it",
        ),
        Case(
            says="So are the copies of editors, and checksums.",
            files={"a.csv": _FIRST, "a.csv~": _FIRST},
            refused="{folder}/a.csv~ is no csv by its name (~). Move it away, rename it",
        ),
        Case(
            says="A pattern says which files are delivered.",
            files={"a.csv": _FIRST, "README.md": b"About these files\n", "old.txt": _OTHER},
            options={"pattern": "*.csv"},
            kept=(_ONE,),
        ),
        Case(
            says="Files without a suffix are data, as unloading databases write them.",
            files={"0000_part_00": _FIRST, "events.2024-01-01": _SECOND},
            kept=(_ONE, _TWO),
        ),
        Case(
            says="A path is the file of that name, never a pattern.",
            files={"r[12].csv": _FIRST, "r1.csv": _OTHER, "r2.csv": _OTHER},
            path="r[12].csv",
            kept=(_ONE,),
        ),
        Case(
            says="Any other name is a name as well.",
            files={"a:b {c,d}*?.csv": _FIRST, "50%20 #é\\.csv": _SECOND},
            kept=(_ONE, _TWO),
        ),
        Case(
            says="Where nothing lies, the message tells how patterns are given.",
            files={"a.csv": _FIRST},
            path="*.csv",
            refused="nothing lies at {folder}/*.csv",
        ),
    ),
)  # fmt: skip

FOLDERS = Chapter(
    "Columns in the names of folders",
    "Hive, Spark and others write a column into the names of folders: `code=01001/`. Declare it as any other column. "
    "It is its text, percent-decoded, and gets its declared type like a value of CSV.",
    (
        Case(
            says="Zeros stay, letters are decoded, and `__HIVE_DEFAULT_PARTITION__` is null.",
            files={
                "code=01001/region=caf%C3%A9/a.csv": b"id,name\n1,oak\n",
                "code=__HIVE_DEFAULT_PARTITION__/region=a%2Fb/b.csv": b"name,id\nelm,2\n",
            },
            columns=_CODED,
            kept=(("1", "oak", "01001", "café"), ("2", "elm", None, "a/b")),
        ),
        Case(
            says="JSON and its keys are no other.",
            format="json",
            files={"name=oak/a.json": b'{"id":1,"price":9.50}', "name=elm/b.json": b'{"id":2,"price":3.00}'},
            kept=(_ONE, _TWO),
        ),
        Case(
            says="A value that is not of the declared type goes to quarantine.",
            files={"price=1.50/a.csv": b"id,name\n1,oak\n", "price=free/b.csv": b"id,name\n2,elm\n"},
            kept=(("1", "oak", "1.50"),),
            quarantined=(("price is not a number", "2,elm"),),
        ),
        Case(
            says="A column that stands in the file and in the name of its folder has two values: refused.",
            files={"price=1.50/a.csv": _FIRST},
            refused="{folder}/price=1.50/a.csv has a column 'price', which the name of its folder has, too",
        ),
        Case(
            says="The name of a folder that is not UTF-8 would become another one: refused.",
            files={"code=01001/region=caf%E9/a.csv": b"id,name\n1,oak\n"},
            columns=_CODED,
            refused="{folder}/code=01001/region=caf%E9/a.csv lies in the folder 'region=caf%E9', which is not UTF-8",
        ),
        Case(
            says="A file in no such folder lacks the column.",
            files={"price=1.50/a.csv": b"id,name\n1,oak\n", "b.csv": b"id,name\n2,elm\n"},
            refused="source 'things' at {folder}/b.csv has no column 'price'",
        ),
        Case(
            says="So is a column of two folders.",
            files={"price=1.50/price=2.50/a.csv": b"id,name\n1,oak\n"},
            refused="a.csv lies in two folders that give the column 'price' a value; leave one of them out",
        ),
    ),
)
