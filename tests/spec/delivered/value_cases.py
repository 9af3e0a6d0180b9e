"""Text of declared types: numbers, truth values, times, and times in several columns."""

from collections.abc import Mapping

from tests.spec.delivered.case import Case, Chapter
from ziggurat.model import Column

_FINER = "a time is finer than a microsecond"
_OUTSIDE = "x lies outside the years 1900 to 2200"
_NIGHT = "x is ambiguous or impossible in Europe/Vienna (a DST night)"
_NO_TIME, _NO_INSTANT = "x is not a time", "x is not an instant with a zone (Z or an offset)"
_LOCAL = Column("x", "timestamp", zone="Europe/Vienna")


def _read(says: str, column: Column, kept: Mapping[str, str | None], refused: dict[str, str] | None = None) -> Case:
    """One column of a CSV file, a line for each text; texts with a comma stand in quotes."""
    lines = [f'"{text}"' if "," in text else text for text in (*kept, *(refused or {}))]
    return Case(
        says=says,
        files={"a.csv": "\n".join(["x", *lines, ""]).encode()},
        columns=(column,),
        kept=tuple((value,) for value in kept.values()),
        quarantined=tuple(
            (f"{why}", line) for why, line in zip((refused or {}).values(), lines[len(kept) :], strict=True)
        ),
    )


VALUES = Chapter(
    "Numbers and times in text",
    "Text of another type than string is read by one grammar, in CSV, JSON and the names of folders. Spaces and tabs "
    "around it are dropped. What is not of the grammar goes to quarantine; nothing is rounded or guessed.",
    (
        _read(
            "A whole number has a sign or none, and digits.",
            Column("x", "bigint"),
            {"12": "12", "+5": "5", "-7": "-7", "007": "7", " 3 ": "3", "9223372036854775807": "9223372036854775807"},
            dict.fromkeys(["1.0", "1e3", "1_000", "0x1F", "12L", "9223372036854775808"], "x is not bigint"),
        ),
        _read(
            "A fraction may have a point and an exponent. NaN and infinity are refused, unless NaN is declared null.",
            Column("x", "double"),
            {"1.5": "1.5", ".5": "0.5", "5.": "5.0", "2.5e2": "250.0", "-0.0": "0.0"},
            dict.fromkeys(
                ["12d", "1F", "0x1p3", "1,5", "1e400", "NaN", "Infinity"], "x is NaN, infinite or not a number"
            ),
        ),
        _read(
            "A decimal keeps every digit, or is refused.",
            Column("x", "decimal(8,2)"),
            {"1.10": "1.10", "1.100": "1.10", "1e3": "1000.00"},
            {
                "1.005": "x is not a whole number of 0.01",
                "1234567": "x does not fit decimal(8,2)",
                "12d": "x is not a number",
            },
        ),
        _read(
            "So does one of 38 digits.",
            Column("x", "decimal(38,18)"),
            {"12345678901234567890.123456789012345678": "12345678901234567890.123456789012345678"},
            {"0.1234567890123456789": "x is not a whole number of 0.000000000000000001"},
        ),
        _read(
            "True and false have five words each, in any case.",
            Column("x", "boolean"),
            {"true": "true", "T": "true", "Yes": "true", "y": "true", "1": "true", "FALSE": "false", "f": "false"}
            | {"no": "false", "N": "false", "0": "false"},
            dict.fromkeys(["on", "2", "wahr"], "x is not boolean"),
        ),
        _read(
            "A day is a day, or its midnight.",
            Column("x", "date"),
            {"2017-01-15": "2017-01-15", "2017-1-5": "2017-01-05", "2017-01-16T00:00:00": "2017-01-16"},
            dict.fromkeys(["2017-01-15T12:00", "2017-02-29", "2017", "20170115", "15.01.2017"], "x is not a day"),
        ),
        _read(
            "An instant has a zone: Z, UTC or an offset as ISO 8601 and PostgreSQL write it.",
            Column("x", "timestamp"),
            {
                "2017-01-15T12:00:00Z": "2017-01-15 12:00:00",
                "2017-01-15 12:00:01 UTC": "2017-01-15 12:00:01",
                "2017-01-15 12:00:00+02": "2017-01-15 10:00:00",
                "2017-01-15T12:00+0530": "2017-01-15 06:30:00",
                "2017-01-15 12:00:00.25-03:30": "2017-01-15 15:30:00.25",
                "1937-01-15 12:00:00+00:19:32": "1937-01-15 11:40:28",
                "2017-01-15T12:00:00,000001z": "2017-01-15 12:00:00.000001",
            },
            {
                "2017-01-15T12:00:00.0000001Z": _FINER,
                "1899-12-31T23:59:59Z": _OUTSIDE,
                "2017-01-15T12:00:00": _NO_INSTANT,
                "2017-01-15T12:00:00 Europe/Paris": _NO_INSTANT,
                "2017-01-15T24:00:00Z": _NO_INSTANT,
                "2017-01-15T12:00:60Z": _NO_INSTANT,
                "2017-W03-2T12:00:00Z": _NO_INSTANT,
            },
        ),
        _read(
            "A local time is read by the zone that its column declares, with the clock changes of pinned data.",
            _LOCAL,
            {
                "2017-01-15 12:00": "2017-01-15 11:00:00",
                "2017-07-15": "2017-07-14 22:00:00",
                "2017-07-15T12:00Z": "2017-07-15 12:00:00",
            },
            {"2017-03-26 02:30:00": _NIGHT, "2017-10-29 02:30:00": _NIGHT, "noon": _NO_TIME},
        ),
        _read(
            "A number since 1970 is a time where its unit is declared.",
            Column("x", "timestamp", epoch="ms"),
            {
                "1489309200123": "2017-03-12 09:00:00.123",
                "1489309200123.5": "2017-03-12 09:00:00.1235",
                "-1": "1969-12-31 23:59:59.999",
            },
            {"1489309200123.0001": _FINER, "7258118400000": _OUTSIDE, "2017-03-12": "x is not a number"},
        ),
        Case(
            says="Several columns make one local time.",
            files={"a.csv": b"year,month,day,hour\n2017,7,5,9\n2017,7,5,\n2017,2,30,9\n"},
            columns=(Column("x", "timestamp", zone="Europe/Vienna", combined="{year}-{month}-{day} {hour}:00"),),
            kept=(("2017-07-05 07:00:00",), (None,)),
            quarantined=((_NO_TIME, "2017,2,30,9"),),
        ),
        Case(
            says="So do a day and a time of day.",
            files={"a.csv": b"day,clock\n2017-07-05,9:30\n2017-07-05,09:30:15.5\n"},
            columns=(Column("x", "timestamp", zone="Europe/Vienna", combined="{day} {clock}"),),
            kept=(("2017-07-05 07:30:00",), ("2017-07-05 07:30:15.5",)),
        ),
        Case(
            says="Text is what was delivered, spaces too; a column may declare that it is trimmed.",
            files={"a.csv": b"x,y\nR01   , R01 \n"},
            columns=(Column("x", "string"), Column("y", "string", trim=True)),
            kept=(("R01   ", "R01"),),
        ),
    ),
)
