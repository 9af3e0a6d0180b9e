"""From delivered rows to typed facts, or to a reason why not (S1, S3, S6, S23, S31)."""

import json
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import functions as F

from compute.delivered_schema import require_columns
from compute.delivered_times import event_time
from compute.delivery import REASON, typed
from definitions.errors import SourceSchemaError
from lakehouse.files.deliveries import open_delivery
from lakehouse.files.location import Location
from lakehouse.files.records import ORIGINAL, Records, typed_records
from tests.support.drawn import frame, same, table
from ziggurat.model import Ambiguous, AvailableColumn, Column, EventTime, Grain, Kind, LandingDelay, Nan, Source

NEW_YORK = "America/New_York"


def drawn(spark, text: str) -> Records:
    return typed_records(frame(spark, text), "here")


def moments(zone: str = NEW_YORK, ambiguous: Ambiguous = Ambiguous.QUARANTINE) -> Source:
    return Source(
        name="moments",
        kind=Kind.EVENTS,
        version=1,
        owner="tests",
        columns=(Column("case", "string"), Column("at", "timestamp", required=True, zone=zone)),
        event_time=EventTime("at", ambiguous=ambiguous),
        available=LandingDelay("0s"),
    )


MOMENTS = """
case                    at
winter                  2017-01-15 12:00:00
summer                  2017-07-15T12:00
a day                   2017-01-15
its own zone            2017-01-15T12:00:00+01:00
hour before it is gone  2017-03-12 01:59:59.999999
in the missing hour     2017-03-12 02:30:00
hour after              2017-03-12 03:00:00
last before twice       2017-11-05 00:59:59.999999
twice                   2017-11-05 01:30:00
last twice              2017-11-05 01:59:59.999999
first after twice       2017-11-05 02:00:00
nothing                 -
foreign zone            2017-01-15 12:00:00 Europe/Paris
an offset of hours      2017-01-15T12:00:00+01
half an offset          2017-01-15T12:00:00+1
a time without a day    T12:30:00Z
a year                  2017
words                   yesterday
too fine                2017-01-15T12:00:00.1234567Z
too fine, local         2017-01-15 12:00:00.0000001
fine enough             2017-01-15T12:00:00.1234560Z
before 1900             1899-12-31T23:59:59.999999Z
first of 1900           1900-01-01T00:00:00Z
last before 2200        2199-12-31T23:59:59.999999Z
first of 2200           2200-01-01T00:00:00Z
"""


def test_s1_s3_text_becomes_the_one_instant_it_names_or_says_why_not(spark) -> None:
    answer = typed(drawn(spark, MOMENTS), moments())
    same(
        answer.where(f"{REASON} is null"),
        """
        case                    event_time
        winter                  2017-01-15T17:00:00+00:00
        summer                  2017-07-15T16:00:00+00:00
        a day                   2017-01-15T05:00:00+00:00
        its own zone            2017-01-15T11:00:00+00:00
        an offset of hours      2017-01-15T11:00:00+00:00
        hour before it is gone  2017-03-12T06:59:59.999999+00:00
        hour after              2017-03-12T07:00:00+00:00
        last before twice       2017-11-05T04:59:59.999999+00:00
        first after twice       2017-11-05T07:00:00+00:00
        fine enough             2017-01-15T12:00:00.123456+00:00
        first of 1900           1900-01-01T00:00:00+00:00
        last before 2200        2199-12-31T23:59:59.999999+00:00
        """,
    )
    same(
        answer.where(f"{REASON} is not null"),
        """
        case                  _reason
        in the missing hour   at is ambiguous or impossible in America/New_York (a DST night)
        twice                 at is ambiguous or impossible in America/New_York (a DST night)
        last twice            at is ambiguous or impossible in America/New_York (a DST night)
        nothing               at is null
        foreign zone          at is not a time
        half an offset        at is not a time
        a time without a day  at is not a time
        a year                at is not a time
        words                 at is not a time
        too fine              a time is finer than a microsecond
        too fine, local       a time is finer than a microsecond
        before 1900           at lies outside the years 1900 to 2200
        first of 2200         at lies outside the years 1900 to 2200
        """,
    )


# The night's two readings of one clock, an hour, half an hour (Lord Howe) or two hours (Troll) apart.
NIGHTS = [
    (NEW_YORK, "2017-11-05T01:30:00", "2017-11-05T05:30:00+00:00", "2017-11-05T06:30:00+00:00"),
    (NEW_YORK, "2017-03-12T02:30:00", "2017-03-12T06:30:00+00:00", "2017-03-12T07:30:00+00:00"),
    (NEW_YORK, "2017-03-11T02:30:00", "2017-03-11T07:30:00+00:00", "2017-03-11T07:30:00+00:00"),
    (NEW_YORK, "2017-11-04T01:30:00", "2017-11-04T05:30:00+00:00", "2017-11-04T05:30:00+00:00"),
    ("Australia/Lord_Howe", "2017-04-02T01:45:00", "2017-04-01T14:45:00+00:00", "2017-04-01T15:15:00+00:00"),
    ("Australia/Lord_Howe", "2017-10-01T02:15:00", "2017-09-30T15:15:00+00:00", "2017-09-30T15:45:00+00:00"),
    ("Antarctica/Troll", "2017-10-29T01:30:00", "2017-10-28T23:30:00+00:00", "2017-10-29T01:30:00+00:00"),
    ("UTC", "2017-11-05T01:30:00", "2017-11-05T01:30:00+00:00", "2017-11-05T01:30:00+00:00"),
]


def test_s3_a_dst_night_is_quarantined_or_read_by_the_declared_choice(spark) -> None:
    answers, wanted = [], []
    for zone, local, earlier, later in NIGHTS:
        delivered = frame(spark, f"case  at:timestamp_ntz\n{zone} {local}  {local}")
        for choice, instant in ((Ambiguous.EARLIER, earlier), (Ambiguous.LATER, later), (Ambiguous.QUARANTINE, None)):
            answer = typed(typed_records(delivered, "here"), moments(zone, choice))
            good = instant or (earlier if earlier == later else None)
            answers.append(
                answer.select("case", F.when(F.col(REASON).isNull(), F.col("event_time")).alias("event_time"))
            )
            wanted.append(f"{zone} {local}  {good or '-'}")
    whole = answers[0]
    for other in answers[1:]:
        whole = whole.unionByName(other)
    same(whole, "case  event_time\n" + "\n".join(wanted))


def test_s3_local_times_need_a_declared_zone(spark) -> None:
    declared = moments(zone="")
    local, instants = (
        drawn(spark, f"case  at:{type_}\none  2017-01-01T00:00:00") for type_ in ("timestamp_ntz", "timestamp")
    )
    with pytest.raises(SourceSchemaError, match="has local times; declare their zone"):
        require_columns(local, declared)
    require_columns(instants, declared)


def test_s3_without_a_zone_text_must_bring_its_own(spark) -> None:
    delivered = "case  at\nzoned  2017-01-15T12:00:00Z\nnaive  2017-01-15T12:00:00"
    same(
        typed(drawn(spark, delivered), moments(zone="")),
        """
        case   _reason
        zoned  -
        naive  at is not an instant with a zone (Z or an offset)
        """,
    )


def test_s6_days_and_weeks_end_where_the_next_begins_on_dst_nights_too(spark) -> None:
    days = frame(spark, "day:date\n2017-01-15\n2017-03-06\n2017-03-12\n2017-10-15\n2017-10-30\n2017-11-05")
    clocks = {
        "day_end": EventTime("day", grain=Grain.DAY, zone=NEW_YORK),
        "day_start": EventTime("day", grain=Grain.DAY, zone=NEW_YORK, known_at_start=True),
        "week_end": EventTime("day", grain=Grain.WEEK, zone=NEW_YORK),
        # In São Paulo summer time began at midnight, that day at one; in Havana it ended at one: midnight came twice.
        "sao_paulo": EventTime("day", grain=Grain.DAY, zone="America/Sao_Paulo", known_at_start=True),
        "havana": EventTime("day", grain=Grain.DAY, zone="America/Havana", known_at_start=True),
    }
    answer = days.select("day", *[F.date_format(event_time(c), "MM-dd'T'HH").alias(n) for n, c in clocks.items()])
    same(
        answer,
        """
        day:date    day_end   day_start  week_end  sao_paulo  havana
        2017-01-15  01-16T05  01-15T05   01-22T05  01-15T02   01-15T05
        2017-03-06  03-07T05  03-06T05   03-13T04  03-06T03   03-06T05
        2017-03-12  03-13T04  03-12T05   03-19T04  03-12T03   03-12T05
        2017-10-15  10-16T04  10-15T04   10-22T04  10-15T03   10-15T04
        2017-10-30  10-31T04  10-30T04   11-06T05  10-30T02   10-30T04
        2017-11-05  11-06T05  11-05T04   11-12T05  11-05T02   11-05T04
        """,
    )


NUMBERS = Source(
    name="numbers",
    kind=Kind.STATIC,
    version=1,
    owner="tests",
    columns=(
        Column("case", "string"),
        Column("money", "decimal(12,2)"),
        Column("ratio", "double"),
        Column("share", "double", nan=Nan.NULL),
        Column("root", "double", computed="sqrt(ratio)"),
        Column("band", "bigint", computed="cast(nullif(ratio, 7.0) as bigint)", required=True),
    ),
    identity=("case",),
)


def test_s23_numbers_are_finite_and_money_is_whole_cents(spark) -> None:
    answer = typed(
        drawn(
            spark,
            """
            case             money:double         ratio:double  share:double
            plain            19.99                4             0.5
            noise            0.30000000000000004  4             0.5
            a cent off       66.005               4             0.5
            half a cent      0.005                4             0.5
            a billion        999999999.99         4             0.5
            not a billion    999999999.994        4             0.5
            too much         10000000000          4             0.5
            minus zero       -0.0                 -0.0          -0.0
            nothing there    -                    1             -
            money NaN        nan                  4             0.5
            ratio NaN        1                    nan           0.5
            ratio infinite   1                    inf           0.5
            share NaN        1                    4             nan
            share infinite   1                    4             -inf
            root of nothing  1                    -1            0.5
            no band          1                    7             0.5
            -                1                    4             0.5
            """,
        ),
        NUMBERS,
    )
    same(
        answer.where(f"{REASON} is null"),
        """
        case             money:decimal(12,2)  ratio:double  share:double  root:double
        plain            19.99                4             0.5           2
        noise            0.30                 4             0.5           2
        a billion        999999999.99         4             0.5           2
        minus zero       0.00                 0.0           0.0           0.0
        nothing there    -                    1             -             1
        share NaN        1.00                 4             -             2
        root of nothing  1.00                 -1            0.5           -
        """,
    )
    same(
        answer.where(f"{REASON} is not null"),
        """
        case            _reason
        a cent off      money is not a whole number of 0.01
        half a cent     money is not a whole number of 0.01
        not a billion   money is not a whole number of 0.01
        too much        money does not fit decimal(12,2)
        money NaN       money does not fit decimal(12,2)
        ratio NaN       ratio is NaN, infinite or not a number
        ratio infinite  ratio is NaN, infinite or not a number
        share infinite  share is infinite or not a number
        no band         band is null
        -               case is null
        """,
    )


def test_s1_float_money_is_the_nearest_float_of_its_cents(spark) -> None:
    delivered = "case  money:float  ratio:double  share:double\nfloat  19.99  1  1\noff  19.994  1  1"
    same(
        typed(drawn(spark, delivered), NUMBERS),
        """
        case   money:decimal(12,2)  _reason
        float  19.99                -
        off    19.99                money is not a whole number of 0.01
        """,
    )


WORDS = Source(
    name="words",
    kind=Kind.STATE,
    version=1,
    owner="tests",
    columns=(
        Column("case", "string"),
        Column("n", "bigint", required=True),
        Column("price", "decimal(8,2)", delivered="Price USD"),
        Column("day", "date"),
        Column("is_in", "boolean"),
        Column("seen", "timestamp"),
    ),
    event_time=EventTime("day", grain=Grain.DAY, zone=NEW_YORK),
    available=AvailableColumn("seen"),
)
CSV = """case,n,Price USD,day,is_in,seen
 plain , 12 ,1.10,2017-11-30,true,2017-12-01T00:00:00Z
midnight,1,1.1,2017-11-30T00:00:00,false,2017-12-01T00:00:00Z
empty,1,,2017-11-30,,2017-12-01T00:00:00Z
no n,,1,2017-11-30,true,2017-12-01T00:00:00Z
half,1.5,1,2017-11-30,true,2017-12-01T00:00:00Z
mills,1,1.005,2017-11-30,true,2017-12-01T00:00:00Z
not midnight,1,1,2017-11-30T23:59:59,true,2017-12-01T00:00:00Z
a year,1,1,2017,true,2017-12-01T00:00:00Z
maybe,1,1,2017-11-30,maybe,2017-12-01T00:00:00Z
no day,1,1,,true,2017-12-01T00:00:00Z
unknown,1,1,2017-11-30,true,
too many,1,1,2017-11-30,true,2017-12-01T00:00:00Z,and more
"""
READ = """
case          n:bigint  price:decimal(8,2)  day:date    is_in:boolean
{plain}       12        1.10                2017-11-30  true
midnight      1         1.10                2017-11-30  false
empty         1         -                   2017-11-30  -
"""
REFUSED = """
case          _reason
no n          n is null
half          n is not bigint
mills         price is not a whole number of 0.01
not midnight  day is not a day
a year        day is not a day
maybe         is_in is not boolean
no day        event time is null
unknown       available time is null
"""


def delivered(spark, tmp_path: Path, name: str, text: str):
    folder = tmp_path / name
    folder.mkdir()
    (folder / f"part.{name}").write_text(text)
    location = Location(str(folder), name)
    (records,) = open_delivery(spark, "words", location, scratch=str(tmp_path / "scratch"))
    require_columns(records, WORDS)
    return typed(records, WORDS)


def test_s31_text_files_are_read_value_by_value_and_bad_rows_keep_their_content(spark, tmp_path: Path) -> None:
    answer = delivered(spark, tmp_path, "csv", CSV).withColumn("case", F.trim("case")).localCheckpoint()
    same(answer.where(f"{REASON} is null"), READ.replace("{plain}", "plain  "))
    same(answer.where(f"{REASON} is not null"), REFUSED + "-             it has more fields than its header\n")
    originals = {row["case"]: row[ORIGINAL] for row in answer.collect()}
    assert originals["half"] == "half,1.5,1,2017-11-30,true,2017-12-01T00:00:00Z"
    assert originals[None] == "too many,1,1,2017-11-30,true,2017-12-01T00:00:00Z,and more"


def test_s31_json_lines_give_what_csv_gives(spark, tmp_path: Path) -> None:
    names, *lines = [line.split(",") for line in CSV.strip().splitlines()[:-1]]
    whole = [json.dumps({k: v or None for k, v in zip(names, line, strict=True)}) for line in lines]
    answer = delivered(spark, tmp_path, "json", "\n".join([*whole, '{"case": "cut sho']))
    answer = answer.withColumn("case", F.trim("case"))
    same(answer.where(f"{REASON} is null"), READ.replace("{plain}", "plain  "))
    same(answer.where(f"{REASON} is not null"), REFUSED + "-             it is no whole JSON object\n")


def test_s1_parquet_nanoseconds_are_kept_if_whole_and_quarantined_if_not(spark, tmp_path: Path) -> None:
    micros = 1_500_000_000_000_001
    for form, int96 in (("int96", True), ("int64", False)):
        for finest, nanos in (("whole", [1000 * micros]), ("cut", [1000 * micros, 1000 * micros + 1])):
            cases = [f"{form} {finest} {n}" for n in nanos]
            held = pa.table({"case": cases, "at": pa.array(nanos, pa.timestamp("ns", "UTC"))})
            folder = tmp_path / f"{form}-{finest}"
            folder.mkdir()
            pq.write_table(held, folder / "part.parquet", use_deprecated_int96_timestamps=int96)
    opened = [
        open_delivery(spark, "moments", Location(str(tmp_path / name)), scratch=str(tmp_path / f"{name}.scratch"))
        for name in ("int96-whole", "int96-cut", "int64-whole", "int64-cut")
    ]
    answers = [typed(other, moments()).select("case", "event_time", REASON) for (other,) in opened]
    same(
        answers[0].unionByName(answers[1]).unionByName(answers[2]).unionByName(answers[3]),
        f"""
        case                           event_time                        _reason
        int96 whole {1000 * micros}    2017-07-14T02:40:00.000001+00:00  -
        int96 cut {1000 * micros}      2017-07-14T02:40:00.000001+00:00  -
        int96 cut {1000 * micros + 1}  2017-07-14T02:40:00.000001+00:00  a time is finer than a microsecond
        int64 whole {1000 * micros}    2017-07-14T02:40:00.000001+00:00  -
        int64 cut {1000 * micros}      2017-07-14T02:40:00.000001+00:00  -
        int64 cut {1000 * micros + 1}  2017-07-14T02:40:00.000001+00:00  a time is finer than a microsecond
        """,
    )


def test_s3_local_nanoseconds_stay_local(spark, tmp_path: Path) -> None:
    pq.write_table(pa.table({"at": pa.array([0], pa.timestamp("ns"))}), tmp_path / "part.parquet")
    (records,) = open_delivery(spark, "moments", Location(str(tmp_path)), scratch=str(tmp_path.with_suffix(".scratch")))
    assert records.types["at"] == "timestamp_ntz"


def test_a_day_delivered_as_a_timestamp_must_be_a_midnight(spark) -> None:
    source = Source(
        name="days",
        kind=Kind.STATIC,
        version=1,
        owner="tests",
        columns=(Column("case", "string"), Column("day", "date")),
    )
    delivered = "case  day:timestamp\nmidnight  3d\nnoon  3d12:00"
    answer = typed(drawn(spark, delivered), source)
    same(answer, "case  day:date  _reason\nmidnight  2017-01-04  -\nnoon  2017-01-04  day is not a day")


def test_a_drawn_table_says_where_it_is_drawn_badly() -> None:
    with pytest.raises(ValueError, match="2 columns are drawn above"):
        table("a  b\n1 2")
    assert table("d:date\n2017-01-04").to_pylist() == [{"d": date(2017, 1, 4)}]
