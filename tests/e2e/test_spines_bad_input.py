"""What a wrong spine, service or store gets: one sentence with the fix, its own exit code, and nothing written."""

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake

from definitions.durations import instant_us
from definitions.errors import LabelTimeError, SpineColumnsError
from online_store.embedded.guards import locked
from online_store.embedded.store import EmbeddedStore
from tests.e2e.small.bike_models import LABEL, SERVICE, VIEWS, released_models
from tests.e2e.small.bikes import FIRST, Bikes
from tests.support.commands import Said
from ziggurat.workspace import open as open_workspace

NOON = datetime(2024, 6, 3, 12, tzinfo=UTC)
KEPT = ("training_sets", "online", "spines", "staging")


@pytest.fixture(scope="module")
def built(spark_session, tmp_path_factory: pytest.TempPathFactory) -> Bikes:
    """A project with a service and a label, and two as-ofs released."""
    return released_models(tmp_path_factory, tmp_path_factory.mktemp("bad spines"))


def written(bikes: Bikes) -> dict[str, bytes]:
    folders = (bikes.folder / "warehouse" / name for name in KEPT)
    return {str(path): path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def bikes(built: Bikes) -> Iterator[Bikes]:
    """Whatever the test asks for, nothing is written."""
    before = written(built)
    yield built
    assert written(built) == before


def refused(bikes: Bikes, code: int, *parts: str, words: tuple[str, ...]) -> None:
    said = bikes.ziggurat(*words)
    assert said.code == code, said.out + said.err
    for part in parts:
        assert part in said.sentence


def training_set(spine: object, *more: str) -> tuple[str, ...]:
    return "training-set", "--service", SERVICE, "--spine", str(spine), "--out", "wrong", *more


RIDERS = pa.array(["R01", "R02"])
INSTANTS = pa.array([NOON, NOON], pa.timestamp("us", tz="UTC"))


def parquet(path: Path, columns: Mapping[str, object]) -> Path:
    pq.write_table(pa.table(dict(columns)), path / "spine.parquet")
    return path / "spine.parquet"


def csv(path: Path, *lines: str) -> Path:
    (path / "spine.csv").write_text("\n".join(lines) + "\n", "utf-8")
    return path / "spine.csv"


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (("training-set", "--service", "rides_v2", "--spine", "x", "--out", "y"), ("'rides_v2'", "'rides_v1'?")),
        (("batch-frame", "--service", "ride_v1", "--as-of", FIRST), ("'ride_v1'", "'rides_v1'?")),
        (("export", "--as-of", FIRST, "--service", "ridez_v1"), ("'ridez_v1'", "'rides_v1'?")),
        (("labels", "rides_agian"), ("no label", "'rides_agian'", "'rides_again'?")),
    ],
)
def test_an_unknown_service_or_label_comes_with_the_nearest_known(
    bikes: Bikes, words: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    refused(bikes, 11, *parts, words=words)


@pytest.mark.parametrize(
    ("spine", "parts"),
    [
        ("rides_agian", ("'rides_agian'", "Did you mean 'rides_again'?")),
        (LABEL, ("not derived yet", f"ziggurat labels {LABEL}")),
        ("data/nobody.parquet", ("data/nobody.parquet", "Delta table, or parquet, CSV or JSON")),
        ("data/nobody.csv", ("data/nobody.csv", "Delta table, or parquet, CSV or JSON")),
        ("data/nobody", ("data/nobody",)),
        ("README.md", ("README.md", "no Delta table, and no file ends in .parquet, .csv or .json")),
        ("no_catalog.no_table", ("no_catalog.no_table",)),
    ],
)
def test_a_spine_that_is_not_there_is_named(bikes: Bikes, spine: str, parts: tuple[str, ...]) -> None:
    refused(bikes, 35, "there is no spine" if spine != LABEL else "spine", *parts, words=training_set(spine))


def test_a_parquet_file_with_garbage_inside_is_named_as_the_spine(bikes: Bikes, tmp_path: Path) -> None:
    """Its footer is whole: the damage shows only when rows are read."""
    file = tmp_path / "spine.parquet"
    rows = pa.table({"rider_id": pa.array(["R01"] * 500), "label_time": INSTANTS.take(pa.array([0] * 500))})
    pq.write_table(rows, file, use_dictionary=False)
    whole = file.read_bytes()
    file.write_bytes(whole[:4] + b"\xa5" * 120 + whole[124:])
    refused(bikes, 35, "the spine", str(file), "it is damaged", words=training_set(file))


def test_a_spine_is_what_its_files_are_called_in_any_case_and_depth(built: Bikes, tmp_path: Path) -> None:
    """JSON lines, compressed, in a folder whose name is a column."""
    folder = tmp_path / "asked" / "rider_id=R01"
    folder.mkdir(parents=True)
    lines = [{"label_time": "2024-06-03T12:00:00Z", "n": number} for number in (1, 2)]
    (folder / "PART.JSONL.GZ").write_bytes(gzip.compress("\n".join(map(json.dumps, lines)).encode()))
    with built.at_home():
        rows = open_workspace(conf="conf.yaml").training_set(SERVICE, str(tmp_path / "asked"))
        rows = rows.select("rider_id", "n").collect()
    assert sorted(map(tuple, rows)) == [("R01", "1"), ("R01", "2")]


def test_a_csv_file_without_a_header_is_empty(bikes: Bikes, tmp_path: Path) -> None:
    (tmp_path / "spine.csv").write_text("")
    refused(bikes, 35, "spine.csv is empty", "name the columns", words=training_set(tmp_path / "spine.csv"))


def test_csv_files_with_different_columns_are_refused(bikes: Bikes, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("rider_id,label_time\nR01,2024-06-03T12:00:00Z\n")
    (tmp_path / "b.csv").write_text("label_time,rider_id,plan\n2024-06-03T12:00:00Z,R01,day\n")
    refused(
        bikes, 38, f"the spine {tmp_path / 'a.csv'} has no column 'plan', which other files have",
        words=training_set(tmp_path),
    )  # fmt: skip


@pytest.mark.parametrize("damage", ["cut short", "no parquet at all", "empty file"])
def test_a_parquet_file_that_cant_be_read_is_named_as_the_spine(bikes: Bikes, tmp_path: Path, damage: str) -> None:
    file = parquet(tmp_path, {"rider_id": RIDERS, "label_time": INSTANTS})
    whole = file.read_bytes()
    file.write_bytes({"cut short": whole[: len(whole) // 2], "no parquet at all": b"rider_id\nR01\n"}.get(damage, b""))
    refused(bikes, 35, "the spine", str(file), "can't be read as parquet", words=training_set(file))


def test_csv_lines_that_do_not_fit_their_header_are_counted(bikes: Bikes, tmp_path: Path) -> None:
    lines = ("rider_id,label_time", "R01,2024-06-03T12:00:00Z,more", "R02,2024-06-03T12:00:00Z")
    refused(
        bikes, 35, "can't be read whole", "1 records", "spine.csv, line 2", "more fields than its header",
        words=training_set(csv(tmp_path, *lines)),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("columns", "parts"),
    [
        ({"rider": RIDERS}, ("no column 'rider_id'", "Did you mean 'rider'?")),
        (
            {"rider_id": pa.array([1, 2])},
            ("'rider_id' is bigint in the spine", "string in", "cast(rider_id as string)"),
        ),
        ({"rider_id": pa.array([1.0, 2.0])}, ("'rider_id'", "double", "S17")),
        ({"rider_id": pa.array([["R01"], ["R02"]])}, ("'rider_id'", "array<string>")),
    ],
)
def test_a_key_that_is_missing_or_of_another_type_is_refused_and_both_are_named(
    bikes: Bikes, tmp_path: Path, columns: Mapping[str, object], parts: tuple[str, ...]
) -> None:
    refused(bikes, 36, *parts, words=training_set(parquet(tmp_path, {**columns, "label_time": INSTANTS})))


@pytest.mark.parametrize(
    ("key", "code", "parts"),
    [
        ("rider_id=customer", 36, ("no column 'customer'",)),
        ("rider=rider_id", 2, ("no join key 'rider'", "Did you mean 'rider_id'?")),
        ("rider_id", 2, ("maps nothing", "--key household_id=customer")),
    ],
)
def test_a_mapping_of_keys_that_fits_nothing_is_refused(
    bikes: Bikes, tmp_path: Path, key: str, code: int, parts: tuple[str, ...]
) -> None:
    spine = parquet(tmp_path, {"rider_id": RIDERS, "label_time": INSTANTS})
    refused(bikes, code, *parts, words=training_set(spine, "--key", key))


NAIVE = pa.array([NOON.replace(tzinfo=None)] * 2, pa.timestamp("us"))


@pytest.mark.parametrize(
    ("times", "parts"),
    [
        (NAIVE, ("timestamp_ntz", "local time", "in the zone it was read in")),
        (pa.array(["2024-06-03T12:00:00Z"] * 2), ("is text", "each text with its zone")),
        (pa.array([date(2024, 6, 3)] * 2), ("is a day", "names no instant")),
        (pa.array([1_717_416_000] * 2), ("bigint", "make it a timestamp")),
        (pa.array([1, 2], pa.timestamp("ns", tz="UTC")), ("spine.parquet", "finer than a microsecond", "round")),
        (None, ("no column 'label_time'", "Did you mean 'label_times'?")),
    ],
)
def test_label_times_that_name_no_instant_are_refused_with_what_to_write(
    bikes: Bikes, tmp_path: Path, times: object, parts: tuple[str, ...]
) -> None:
    columns = {"rider_id": RIDERS, **({"label_times": INSTANTS} if times is None else {"label_time": times})}
    refused(bikes, 37, *parts, words=training_set(parquet(tmp_path, columns)))


@pytest.mark.parametrize(
    "time", ["2024-06-03T12:00:00", "2024-06-03", "yesterday", "2024-06-31T12:00:00Z", "2024-06-03T12:00:00.0000001Z"]
)
def test_a_text_without_zone_or_date_in_a_csv_is_counted_with_the_form_to_write(
    bikes: Bikes, tmp_path: Path, time: str
) -> None:
    spine = csv(tmp_path, "rider_id,label_time", "R01,2024-06-03T12:00:00Z", f"R02,{time}")
    refused(
        bikes, 37, "spine.csv, line 3: 1 label times", f"'{time}'", "2017-11-27T12:00:00Z", words=training_set(spine)
    )


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        (("rider_id", "label_time", "plan", "plan"), ("'plan'", "rename")),
        (("rider_id", "label_time", "plan", "Plan"), ("lan'", "rename")),
        (("rider_id", "label_time", "Label_Time", "x"), ("abel_", "rename")),
        (("rider_id", "label_time", "riders__plan", "x"), ("'riders__plan'", "rename or drop it")),
        (("rider_id", "label_time", "RIDERS__plan", "x"), ("'RIDERS__plan'", "rename or drop it")),
        (("rider_id", "label_time", "_evidence__riders", "x"), ("'_evidence__riders'", "rename or drop it")),
    ],
)
def test_columns_of_one_name_are_refused(
    bikes: Bikes, tmp_path: Path, names: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    columns = [RIDERS, INSTANTS, pa.array(["a", "b"]), pa.array(["c", "d"])]
    pq.write_table(pa.table(columns, names=list(names)), tmp_path / "spine.parquet")
    refused(bikes, 38, *parts, words=training_set(tmp_path / "spine.parquet"))


@pytest.mark.parametrize("names", ["rider_id,label_time,plan,plan", 'rider_id,label_time,"plan",PLAN'])
def test_columns_of_one_name_in_a_csv_are_refused_and_not_numbered(bikes: Bikes, tmp_path: Path, names: str) -> None:
    spine = csv(tmp_path, names, "R01,2024-06-03T12:00:00Z,a,c")
    refused(
        bikes, 38, "spine.csv can't be read: its header has the name", "rename one of them", words=training_set(spine)
    )


def test_types_of_other_columns_are_declared_by_the_command(bikes: Bikes, tmp_path: Path) -> None:
    spine = csv(tmp_path, "rider_id,label_time,score", "R01,2024-06-03T12:00:00Z,1.5", "R02,2024-06-03T12:00:00Z,12d")
    parts = (f"{spine}, line 3: 1 values of column 'score' are no double, first '12d'", "leave out --type")
    refused(bikes, 38, *parts, words=training_set(spine, "--type", "score=double"))
    refused(bikes, 38, "no column 'scor'", "'score'?", words=training_set(spine, "--type", "scor=double"))
    refused(bikes, 2, "--type score: type 'number'", words=training_set(spine, "--type", "score=number"))
    typed = parquet(tmp_path, {"rider_id": RIDERS, "label_time": INSTANTS, "score": pa.array(["1", "2"])})
    refused(
        bikes, 38, "column 'score' is string in the spine, declared double", "cast(score as double)",
        words=training_set(typed, "--type", "score=double"),
    )  # fmt: skip


def test_text_that_is_not_utf8_is_refused(bikes: Bikes, tmp_path: Path) -> None:
    """Two riders would become one where the bytes are replaced."""
    riders = pa.array([b"K\xfcse", b"K\xf6se"], pa.binary()).view(pa.string())
    spine = parquet(tmp_path, {"rider_id": riders, "label_time": INSTANTS})
    parts = (f"{spine}: column 'rider_id' has text that is not UTF-8, first the bytes 0x4BF67365",)
    refused(bikes, 38, *parts, words=training_set(spine))
    write_deltalake(tmp_path / "table", pq.read_table(spine))
    refused(bikes, 38, "column 'rider_id' has text that is not UTF-8", words=training_set(tmp_path / "table"))


def test_a_pandas_frame_is_refused_in_the_same_way(bikes: Bikes) -> None:
    with bikes.at_home():
        workspace = open_workspace(conf="conf.yaml")
        frame = pd.DataFrame({"rider_id": ["R01"], "label_time": pd.to_datetime([NOON])})
        with pytest.raises(SpineColumnsError, match="two columns called 'rider_id'"):
            workspace.training_set(SERVICE, pd.concat([frame, frame[["rider_id"]]], axis=1))
        with pytest.raises(SpineColumnsError, match="no columns"):
            workspace.training_set(SERVICE, pd.DataFrame())
        with pytest.raises(LabelTimeError, match="has no zone, so it names no instant"):
            workspace.training_set(SERVICE, frame.assign(label_time=pd.to_datetime(["2024-06-03 12:00"])))
        for mixed in ([1, "a"], ["a", 1]):
            with pytest.raises(SpineColumnsError, match=r"Could not convert|Expected bytes"):
                workspace.training_set(
                    SERVICE, pd.concat([frame, frame]).assign(n=pd.Series(mixed, dtype=object).values)
                )
        finer = pd.to_datetime(["2024-06-03T12:00:00.000000001Z"])
        with pytest.raises(LabelTimeError, match="whole microseconds"):
            workspace.training_set(SERVICE, frame.assign(label_time=finer))


@pytest.mark.parametrize(
    ("words", "code", "parts"),
    [
        (("batch-frame", "--service", SERVICE, "--as-of", "2024-05-30"), 2, ("2024-05-30", "ziggurat build --as-of")),
        (("batch-frame", "--service", SERVICE, "--as-of", "soon"), 2, ("'soon' is not an instant",)),
        (("training-set", "show", "wrng"), 43, ("no training set 'wrng'", "Build one")),
        (("labels", LABEL, "--start", "2024-06-01", "--end", "2024-05-01"), 2, ("swap the two",)),
        (("labels", LABEL, "--start", "2030-01-01"), 37, ("2030-01-01", "nothing was written")),
        (("export", "--as-of", "2024-05-30"), 32, ("rider_activity, rider_vs_plan", "2024-05-30", "ziggurat build")),
        (("get", "rider_id=R01", "--service", SERVICE), 71, ("holds no snapshot", "ziggurat export")),
        (("training-set", "--service", SERVICE, "--spine", "x", "--out", "../elsewhere"), 10, ("'../elsewhere'",)),
    ],
)  # fmt: skip
def test_what_is_not_there_is_said_with_how_to_get_it(
    bikes: Bikes, words: tuple[str, ...], code: int, parts: tuple[str, ...]
) -> None:
    refused(bikes, code, *parts, words=words)


def test_entities_with_a_label_time_are_refused_since_a_frame_has_one_instant(bikes: Bikes, tmp_path: Path) -> None:
    spine = parquet(tmp_path, {"rider_id": RIDERS, "label_time": INSTANTS})
    words = ("batch-frame", "--service", SERVICE, "--as-of", FIRST, "--entities", str(spine))
    refused(bikes, 38, "label_time", "one instant for all", words=words)


def test_a_batch_frame_replaces_an_earlier_one_and_nothing_else(bikes: Bikes) -> None:
    words = ("batch-frame", "--service", SERVICE, "--as-of", FIRST, "--out")
    for _ in range(2):
        said = bikes.ziggurat(*words, "to score")
        assert (said.code, "7 rows" in said.out) == (0, True), said.err + said.out
    assert pq.read_table(bikes.folder / "to score").num_rows == 7
    for path in ("data", ".", "conf.yaml"):
        before = sorted(bikes.folder.rglob("*"))
        refused(bikes, 2, f"--out {path}", "no batch frame; name a new folder", words=(*words, path))
        assert sorted(bikes.folder.rglob("*")) == before
    refused(bikes, 42, "conf.yaml/frame", "writable", words=(*words, "conf.yaml/frame"))


def test_a_service_of_two_entities_needs_the_pairs_of_entities(bikes: Bikes) -> None:
    services = bikes.definition("services.py")
    text = services.read_text()
    two = text.replace("entity=rider)", 'entity=rider, role="friend")')
    assert two != text
    with bikes.broken(services, two):
        refused(
            bikes, 2, "rider_id and friend_rider_id", "--entities",
            words=("batch-frame", "--service", SERVICE, "--as-of", FIRST),
        )  # fmt: skip


def manifest(bikes: Bikes, name: str) -> Mapping[str, object]:
    said = bikes.ziggurat("training-set", "show", name, "--json")
    assert said.code == 0, said.err
    return dict(json.loads(said.out))


def made(bikes: Bikes, spine: Path, name: str) -> tuple[Said, Mapping[str, object]]:
    said = bikes.ziggurat("training-set", "--service", SERVICE, "--spine", str(spine), "--out", name)
    assert said.code == 0, said.err
    return said, manifest(bikes, name)


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_an_empty_spine_is_an_empty_training_set_with_a_warning(built: Bikes, tmp_path: Path, form: str) -> None:
    """Row for row (S15): a spine without rows gives none; a nightly job with an empty query gets a warning."""
    empty = {"rider_id": RIDERS[:0], "label_time": INSTANTS[:0]}
    spine = parquet(tmp_path, empty) if form == "parquet" else csv(tmp_path, "rider_id,label_time")
    said, fields = made(built, spine, f"empty_{form}")
    assert fields["data"]["rows"] == 0
    assert fields["certificate"]["is_certified"]
    assert any("no rows" in text for text in fields["certificate"]["warnings"])
    assert "warning" in said.out
    stored = built.table(f"training_sets/empty_{form}/data")
    assert stored.num_rows == 0
    assert stored.column_names[:3] == ["rider_id", "label_time", "rider_activity__ride_count_30d"]
    assert "0 rows" in built.ziggurat("training-set", "show", f"empty_{form}").out


def test_labels_before_the_first_snapshot_are_certified_all_null_with_the_reason(built: Bikes, tmp_path: Path) -> None:
    early = "R01,2024-05-01T12:00:00Z"
    said, fields = made(built, csv(tmp_path, "rider_id,label_time", early, early), "early")
    rows = built.table("training_sets/early/data").to_pylist()
    names = [name for name in rows[0] if name.startswith(("rider_activity__", "rider_vs_plan__"))]
    assert [[row[name] for name in names] for row in rows] == [[None] * 3] * 2
    assert [row["riders__plan"] for row in rows] == ["annual", "annual"]
    certificate = fields["certificate"]
    assert certificate["is_certified"]
    warned = " ".join(certificate["warnings"])
    for view in VIEWS[:2]:
        assert f"{view}: no row has a value: label times run from 2024-05-01T12:00:00Z" in warned
    assert "its first fact was known at 2024-06-01T04:00:00Z" in warned
    assert "warning: rider_activity" in said.out
    assert "raw/riders/v1" in certificate["static_sources"]


def test_rows_without_a_key_or_an_instant_stay_and_are_counted(built: Bikes, tmp_path: Path) -> None:
    lines = (
        "rider_id,label_time,note",
        "R01,2024-06-03T12:00:00Z,a",
        ",2024-06-03T12:00:00Z,b",
        "R01,,c",
        "R99, 2024-06-03 12:00:00Z,d",
    )
    _, fields = made(built, csv(tmp_path, *lines), "partial")
    views = {view["name"]: view for view in fields["certificate"]["views"]}
    counts = {name: (view["matched"], view["unseen"], view["without_key"]) for name, view in views.items()}
    assert counts == dict.fromkeys(VIEWS, (1, 1, 2))
    rows = {row["note"]: row for row in built.table("training_sets/partial/data").to_pylist()}
    assert rows["a"]["riders__plan"] == "annual"
    assert {rows[note]["riders__plan"] for note in "bcd"} == {None}
    assert rows["d"]["label_time"] == NOON


@pytest.fixture(scope="module")
def store(built: Bikes) -> Path:
    """The online folder after an export."""
    assert built.ziggurat("export", "--as-of", FIRST).code == 0
    return built.folder / "warehouse" / "online"


def get(*words: str) -> tuple[str, ...]:
    return "get", *words, "--service", SERVICE


@pytest.mark.parametrize(
    ("words", "code", "parts"),
    [
        (("get", "rider_id=R01", "--service", "rides_v2"), 11, ("'rides_v2'", "'rides_v1'?")),
        (get("rider=R01"), 2, ("needs rider_id (string)", "'rider_id' is missing")),
        (get("rider_id=R01", "bike=1"), 2, ("'bike'",)),
        (get("rider_id"), 2, ("'rider_id' is not a key and its value",)),
        (get("rider_id=R01", "rider_id=R02"), 2, ("given twice",)),
        (get("rider_id=R01", "--at", "2024-05-01"), 2, ("2024-05-01", "before")),
        (get("rider_id=R01", "--at", "noon"), 2, ("'noon' is not an instant",)),
    ],
)
def test_a_wrong_look_up_is_refused(
    store: Path, bikes: Bikes, words: tuple[str, ...], code: int, parts: tuple[str, ...]
) -> None:
    refused(bikes, code, *parts, words=words)


def test_a_second_export_is_refused_and_the_writer_is_named(store: Path, bikes: Bikes) -> None:
    with locked(store):
        refused(bikes, 72, str(store), "being written by process", words=("export", "--as-of", FIRST))


def snapshot_of(store: Path) -> Path:
    return store / "snapshots" / (store / "CURRENT").read_text().strip()


def other_format(text: bytes) -> bytes:
    return json.dumps({**json.loads(text), "format": 99}).encode()


@pytest.mark.parametrize(
    ("file", "damage", "code", "parts"),
    [
        ("records.bin", lambda content: content[: len(content) // 2], 73, ("records.bin", "bytes", "ziggurat export")),
        ("snapshot.json", lambda content: content[:-50], 73, ("snapshot.json", "ziggurat export")),
        ("snapshot.json", other_format, 74, ("snapshot.json", "format 99", "reads format 1")),
        ("../../CURRENT", lambda content: b"", 73, ("CURRENT", "ziggurat export")),
        ("../../CURRENT", lambda content: b"2024-01-01-000000000000\n", 73, ("not there", "ziggurat export")),
    ],
)
def test_a_store_that_is_not_what_was_written_is_an_error_and_the_next_export_repairs_it(
    store: Path, built: Bikes, file: str, damage: Callable[[bytes], bytes], code: int, parts: tuple[str, ...]
) -> None:
    path = snapshot_of(store) / file
    content = path.read_bytes()
    with built.broken(path, damage(content)):
        refused(built, code, *parts, words=get("rider_id=R01"))
    assert built.ziggurat(*get("rider_id=R01")).code == 0


def test_after_damage_the_next_export_ends_well(store: Path, built: Bikes) -> None:
    data = snapshot_of(store) / "records.bin"
    data.write_bytes(data.read_bytes()[:100])
    said = built.ziggurat("export", "--as-of", FIRST)
    assert (said.code, "read back and verified" in said.out) == (0, True)
    with EmbeddedStore(store).open() as reader:
        reader.verify()
        assert reader.description.as_of_us == instant_us(FIRST)


OTHER = """
other_v1 = FeatureService("other_v1", features=(features_of(riders, "{column}", entity=rider),), owner="growth")
"""


def test_an_export_leaves_a_broken_service_out_unless_the_store_answers_for_it(store: Path, built: Bikes) -> None:
    services = built.definition("services.py")
    text, export = services.read_text("utf-8"), ("export", "--as-of", FIRST)
    with built.broken(services, text + OTHER.format(column="plam")):
        said = built.ziggurat(*export)
        assert (said.code, "online already" in said.out) == (11, True), said.out
        assert "'plam' is not a feature of 'riders' v1. Did you mean 'plan'?" in said.sentence
    with built.broken(services, text.replace("ride_count_30d", "ride_cuont_30d") + OTHER.format(column="plan")):
        said = built.ziggurat(*export)
        assert (said.code, said.out) == (11, "")
        assert "'ride_cuont_30d' is not a feature" in said.sentence
    assert built.ziggurat(*get("rider_id=R01")).code == 0
