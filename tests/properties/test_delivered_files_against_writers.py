"""What other libraries write and what is kept, value by value: parquet of pyarrow and pandas, Delta (S31)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import reduce
from pathlib import Path
from random import Random
from tempfile import mkdtemp
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import write_deltalake
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F

from compute.delivered_schema import require_columns
from compute.delivery import REASON, typed
from lakehouse.files.deliveries import open_delivery
from lakehouse.files.location import Location
from tests.spec.delivered import oracle
from ziggurat.model import Column, Kind, Source

ZONE = "Europe/Vienna"
NIGHTS = [datetime(2017, 3, 26, 2), datetime(2017, 10, 29, 2), datetime(1900, 1, 1), datetime(2200, 1, 1)]
INTS = (pa.int8, pa.int16, pa.int32, pa.int64, pa.uint8, pa.uint16, pa.uint32, pa.uint64)
TEXTS = ["", " R01  ", "é", "日本", "a\nb", '"', "0" * 300]
BYTES = [b"", b"caf\xc3\xa9", b"K\xfcse", b"\x00", b"\xed\xa0\x80"]
DELIVERIES = 10  # in one Spark job
batches = settings(max_examples=2, deadline=None, phases=[Phase.generate])
THINGS = Source(
    name="things",
    kind=Kind.STATIC,
    version=1,
    owner="tests",
    columns=(
        Column("id", "bigint"),
        Column("n", "bigint"),
        Column("m", "decimal(12,2)"),
        Column("r", "double"),
        Column("s", "string"),
        Column("t", "timestamp", zone=ZONE),
        Column("d", "date"),
    ),
)
FIRST, LAST = datetime(1850, 1, 1), datetime(2260, 1, 1)
Kept = Any  # the value that is kept; raises ValueError with the reason where it is quarantined


@dataclass(frozen=True)
class Form:
    """One way to write a column: its Arrow type, a value of it, and what has to be kept of that."""

    type: pa.DataType
    draw: Callable[[Random], Any]
    kept: Callable[[Any], Kept] = lambda value: value


def refuse(reason: str) -> Any:
    raise ValueError(reason)


def cents(value: Any) -> Decimal:
    exact = Decimal(value)
    if abs(exact) >= Decimal("9999999999.995"):
        refuse("m does not fit decimal(12,2)")
    near = exact.quantize(Decimal("0.01"))
    off = abs(exact - near) * 100
    is_whole = off < Decimal("1e-6") if isinstance(value, float) else off == 0
    return near if is_whole else refuse("m is not a whole number of 0.01")


def text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return refuse("s is not UTF-8")


def moment(unit: str, *, zoned: bool) -> Callable[[int], int]:
    per_us = {"s": 1_000_000, "ms": 1_000, "us": 1}

    def kept(value: int) -> int:
        if unit == "ns" and value % 1000:
            refuse(oracle.TOO_FINE)
        us = value // 1000 if unit == "ns" else value * per_us[unit]
        return oracle.instant("" if zoned else ZONE)(_iso(us) + ("Z" if zoned else ""))

    def with_name(value: int) -> int:
        try:
            return kept(value)
        except ValueError as error:
            return refuse(str(error).replace("x ", "t ", 1))

    return with_name


def _iso(us: int) -> str:
    return (oracle.EPOCH + timedelta(microseconds=us)).isoformat(sep=" ")


def instants(unit: str, zone: str | None) -> Form:
    per_s = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]

    def draw(chance: Random) -> int:
        night = chance.choice(NIGHTS)
        if chance.random() < 0.5:
            return int((night - oracle.EPOCH).total_seconds()) * per_s + chance.randint(-7200, 7200) * max(
                1, per_s // 2
            )
        years = (datetime(1700, 1, 1), LAST) if unit == "ns" else (FIRST, LAST)
        at = chance.randint(*(int((year - oracle.EPOCH).total_seconds()) for year in years)) * per_s
        return at + chance.choice([0, 1, per_s // 3, 1000 * (per_s // 5000)])

    return Form(pa.timestamp(unit, zone), draw, moment(unit, zoned=zone is not None))


def whole(type_: pa.DataType) -> Form:
    bits, is_signed = type_.bit_width, pa.types.is_signed_integer(type_)
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if is_signed else (0, 2**bits - 1)

    def draw(chance: Random) -> int:
        return chance.choice([low, high, 0, chance.randint(low, high)])

    return Form(type_, draw, lambda value: value if value < 2**63 else refuse("n is not bigint"))


def fixed(precision: int, scale: int) -> Form:
    def draw(chance: Random) -> Decimal:
        digits = chance.randint(0, 10 ** chance.randint(1, precision) - 1) * chance.choice([1, -1])
        return Decimal(digits - digits % chance.choice([1, 10 ** max(0, scale - 2)])).scaleb(-scale)

    return Form(pa.decimal128(precision, scale), draw, cents)


NOTHING = Form(pa.null(), lambda chance: None)
FORMS: dict[str, list[Form]] = {
    "n": [*(whole(type_()) for type_ in INTS), NOTHING],
    "m": [
        *(fixed(*digits) for digits in ((5, 2), (12, 2), (9, 0), (20, 4), (38, 10))),
        Form(pa.int32(), lambda chance: chance.randint(-(2**31), 2**31 - 1), cents),
        Form(
            pa.float64(), lambda c: c.choice([0.1 + 0.2, 19.99, c.randint(-(10**9), 10**9) / 100, 0.005, 1e11]), cents
        ),
        NOTHING,
    ],
    "r": [
        Form(
            pa.float64(), lambda chance: chance.choice([chance.uniform(-1e9, 1e9), 5e-324, 1.7976931348623157e308, 0.0])
        ),
        Form(pa.float32(), lambda chance: float(pa.scalar(chance.uniform(-1e9, 1e9), pa.float32()).as_py())),
        Form(pa.int32(), lambda chance: chance.randint(-(2**31), 2**31 - 1), float),
        Form(pa.decimal128(9, 3), lambda chance: Decimal(chance.randint(-(10**8), 10**8)).scaleb(-3), float),
        NOTHING,
    ],
    "s": [
        *(Form(type_, lambda chance: chance.choice(TEXTS)) for type_ in (pa.string(), pa.large_string())),
        Form(pa.binary(), lambda chance: chance.choice(BYTES), text),
        NOTHING,
    ],
    "t": [instants(unit, zone) for unit in ("s", "ms", "us", "ns") for zone in (None, "UTC", "Asia/Tokyo")] + [NOTHING],
    "d": [
        Form(pa.date32(), lambda chance: date(1, 1, 1) + timedelta(days=chance.randint(0, 3_652_058))),
        Form(pa.date64(), lambda chance: date(1970, 1, 1) + timedelta(days=chance.randint(-40_000, 80_000))),
        NOTHING,
    ],
}


def drawn(chance: Random, ids: range) -> tuple[pa.Table, dict[int, Any]]:
    """A table, and by its ids the values that have to be kept, or the reason for the first that can't."""
    chosen = {name: chance.choice(forms) for name, forms in FORMS.items()}
    rows = [{name: None if chance.random() < 0.1 else f.draw(chance) for name, f in chosen.items()} for _ in ids]
    columns = {name: pa.array([row[name] for row in rows], form.type) for name, form in chosen.items()}
    names = [*columns, "more"]
    chance.shuffle(names)
    columns["more"] = pa.array([1] * len(rows), chance.choice([pa.int8(), pa.float64(), pa.timestamp("ns")]))
    table = pa.table({"id": pa.array(list(ids), pa.int64()), **{name: columns[name] for name in names}})
    return table, {id_: kept(row, chosen) for id_, row in zip(ids, rows, strict=True)}


def kept(row: dict[str, Any], forms: dict[str, Form]) -> Any:
    reasons, values = [], []
    for name in FORMS:
        try:
            values.append(None if row[name] is None else forms[name].kept(row[name]))
        except ValueError as error:
            reasons.append(str(error))
    # What is wrong with a record comes before what is wrong with a column.
    return oracle.TOO_FINE if oracle.TOO_FINE in reasons else reasons[0] if reasons else tuple(values)


def write(chance: Random, table: pa.Table, path: Path) -> None:
    is_local = pa.types.is_timestamp(table.schema.field("t").type) and table.schema.field("t").type.tz is None
    if chance.random() < 0.3:
        table.to_pandas(types_mapper=pd.ArrowDtype).to_parquet(path)
        return
    pq.write_table(
        table,
        path,
        data_page_version=chance.choice(["1.0", "2.0"]),
        compression=chance.choice(["none", "snappy", "zstd", "gzip"]),
        use_dictionary=chance.random() < 0.5,
        row_group_size=chance.choice([2, 1000]),
        write_statistics=chance.random() < 0.5,
        store_schema=chance.random() < 0.5,
        use_deprecated_int96_timestamps=chance.random() < 0.3 and not is_local,  # INT96 means instants
    )


def read(spark: Any, location: Location, number: int) -> Any:
    opened = open_delivery(
        spark, "things", location, scratch=f"{location.path}.scratch", columns=THINGS.delivered_names
    )
    for records in opened:
        require_columns(records, THINGS)
    rows = reduce(lambda a, b: a.unionByName(b), [typed(records, THINGS) for records in opened])
    return rows.select(
        F.lit(number).alias("delivery"), "id", "n", "m", "r", "s", F.unix_micros("t").alias("t"), "d", REASON
    )


def answers(frames: list[Any]) -> dict[tuple[int, int], Any]:
    rows = reduce(lambda a, b: a.unionByName(b), frames).collect()
    found = {(row["delivery"], row["id"]): row[REASON] or tuple(row[name] for name in FORMS) for row in rows}
    assert len(found) == len(rows), "a row is there twice"
    return found


def compare(found: dict[tuple[int, int], Any], wanted: dict[tuple[int, int], Any]) -> None:
    wrong = [
        f"{key}: {found.get(key)}, but {value}" for key, value in wanted.items() if repr(found.get(key)) != repr(value)
    ]
    assert not wrong, "\n".join(wrong[:20])
    assert found.keys() == wanted.keys()


@batches
@given(st.integers(0, 2**32))
def check_parquet(spark: Any, folder: Path, seed: int) -> None:
    chance, frames, wanted = Random(seed), [], {}
    folder = Path(mkdtemp(dir=folder))
    for number in range(DELIVERIES):
        path = folder / str(number)
        path.mkdir(parents=True)
        for file in range(chance.randint(1, 4)):
            table, values = drawn(chance, range(100 * file, 100 * file + chance.randint(0, 12)))
            write(chance, table, path / f"{file}.parquet")
            wanted |= {(number, id_): value for id_, value in values.items()}
        frames.append(read(spark, Location(str(path)), number))
    compare(answers(frames), wanted)


def test_parquet_of_several_writers_is_kept_as_written_or_quarantined_for_its_reason(spark, tmp_path: Path) -> None:
    check_parquet(spark, tmp_path)


def test_a_delta_table_of_another_writer_is_kept_as_written(spark, tmp_path: Path) -> None:
    chance, frames, wanted = Random(17), [], {}
    chosen = {name: FORMS[name][nth] for name, nth in {"n": 3, "m": 1, "r": 0, "s": 0, "t": 7, "d": 0}.items()}
    for number in range(2):
        path = str(tmp_path / str(number))
        for part in range(2):
            ids = range(100 * part, 100 * part + 20)
            rows = [{n: None if chance.random() < 0.1 else f.draw(chance) for n, f in chosen.items()} for _ in ids]
            columns = {name: pa.array([row[name] for row in rows], form.type) for name, form in chosen.items()}
            table = pa.table({"id": pa.array(list(ids), pa.int64()), **columns, "part": [part] * len(ids)})
            write_deltalake(path, table, mode="append", partition_by=["part"] if number else None)
            wanted |= {(number, id_): kept(row, chosen) for id_, row in zip(ids, rows, strict=True)}
        frames.append(read(spark, Location(path, "delta"), number))
    compare(answers(frames), wanted)
