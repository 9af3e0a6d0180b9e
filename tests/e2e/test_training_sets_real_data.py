"""Training sets of the shipped services on the real year: row by row what an ASOF join by hand finds (S14 to S19)."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake

from definitions.durations import instant_us
from definitions.registry import key_of
from definitions.services import FeatureService, features_of
from features.aggregate.household_coupons import household_coupons
from features.aggregate.household_spend import household_spend
from features.cross_entity.product_popularity import product_popularity
from jobs.export.job import export
from jobs.run.context import Context
from jobs.training_set.batch_frame import batch_frame
from jobs.training_set.job import TrainingSet, TrainingSetRequest, training_frame
from lakehouse.ledger.ledger import Ledger
from lakehouse.tables import Warehouse
from online_store.embedded.store import EmbeddedStore
from online_store.errors import StoreDamaged
from tests.e2e.oracle.joined import SAW, VIEWS, Published, stored_hash, unlike, without_evidence

INSTANT = pa.timestamp("us", tz="UTC")
LABELS = {"churn_v1": "churn_30d", "coupon_v1": "coupon_14d"}
KEYS = {"churn_v1": ("household_id",), "coupon_v1": ("household_id", "campaign_id")}
NINE_DAYS = {"household_coupons", "household_discounts", "household_visits", "household_spend"}

# One microsecond before, and at: a publication (T + 4 h), the age of nine days, the start of campaign 18.
INSTANTS = (
    "2017-03-12T03:59:59.999999Z",
    "2017-03-12T04:00:00Z",
    "2017-03-20T23:59:59.999999Z",
    "2017-03-21T00:00:00Z",
    "2017-10-30T03:59:59.999999Z",
    "2017-10-30T04:00:00Z",
    "2017-11-05T09:29:59.999999Z",
    "2017-11-05T09:30:00Z",
    "2017-12-08T23:59:59.999999Z",
    "2017-12-09T00:00:00Z",
)
NEVER_SEEN = 10_000_000


@pytest.fixture(scope="module")
def published(groceries) -> Published:
    return Published(groceries.table)


@pytest.fixture(scope="module")
def sets(groceries) -> Mapping[str, TrainingSet]:
    """Each service's training set of all rows of its label's spine, as the verbs make it."""
    workspace = groceries.workspace
    for label in LABELS.values():
        workspace.labels(label)
    return {service: workspace.build_training_set(service, label, name=service) for service, label in LABELS.items()}


def stored(groceries, made: TrainingSet) -> pa.Table:
    """The rows that its manifest names, read without Spark."""
    folder = groceries.warehouse / "training_sets" / made.manifest.name / "data"
    return DeltaTable(folder, version=made.manifest.data.version).to_pyarrow_table()


def spine_of(groceries, service: str) -> pa.Table:
    return DeltaTable(groceries.warehouse / "spines" / LABELS[service]).to_pyarrow_table()


@pytest.mark.parametrize("service", LABELS)
def test_every_row_and_feature_equals_the_join_by_hand(groceries, published, sets, service: str) -> None:
    spine = spine_of(groceries, service)
    expected = published.joined(service, spine)
    found = stored(groceries, sets[service])
    assert unlike(found, without_evidence(expected), by=(*KEYS[service], "label_time")) == []
    declared = [column.name for column in groceries.workspace.registry.service(service).columns]
    assert found.column_names == [*spine.column_names, *declared]
    assert found.num_rows == spine.num_rows > 5_000


def test_the_age_of_a_snapshot_and_its_publication_are_asked_on_all_rows(published) -> None:
    """What the one ASOF join by hand relies on: in every view a later as-of is out later than an earlier one."""
    for view in VIEWS:
        out = published.ask(f"""
            SELECT count(*) AS wrong FROM (
                SELECT DISTINCT event_time, available_time, lead(available_time) OVER (ORDER BY event_time) AS next
                FROM (SELECT DISTINCT event_time, available_time FROM {view})
            ) WHERE next <= available_time OR available_time < event_time
        """)
        assert out["wrong"].to_pylist() == [0], view


@pytest.mark.parametrize("service", LABELS)
def test_the_certificate_counts_what_a_count_by_hand_finds(groceries, published, sets, service: str) -> None:
    expected = published.joined(service, spine_of(groceries, service))
    certificate = sets[service].manifest.certificate
    assert certificate.is_certified
    assert all(check.passed for check in certificate.checks)
    views = {view.name: view for view in certificate.views}
    assert {f"{SAW}{name}" for name in views} == {name for name in expected.column_names if name.startswith(SAW)}
    for name, view in views.items():
        is_expired = "false"
        if service == "coupon_v1" and name in NINE_DAYS:
            is_expired = f"{SAW}{name} <= label_time - INTERVAL 9 DAYS"
        counted = published.ask(
            f"""
            SELECT count(*) AS rows, count({SAW}{name}) - count(*) FILTER ({is_expired}) AS matched,
                count(*) - count({SAW}{name}) AS unseen, count(*) FILTER ({is_expired}) AS expired
            FROM expected
            """,
            expected=expected,
        ).to_pylist()[0]
        assert {key: getattr(view, key) for key in counted} == counted, name
        assert (view.ended, view.without_key, view.ties) == (0, 0, 0)


def test_rows_that_matched_saw_nothing_or_an_expired_value_all_occur(sets) -> None:
    churn, coupon = ({view.name: view for view in sets[s].manifest.certificate.views} for s in LABELS)
    assert all(view.matched > 5_000 and view.unseen > 10_000 for view in churn.values())
    assert all(getattr(coupon[name], outcome) for name in NINE_DAYS for outcome in ("matched", "unseen", "expired"))
    plan = coupon["campaign_descriptions"]
    assert (plan.matched, plan.unseen) == (plan.rows, 0)


def test_the_boundary_instants_and_static_sources_stand_in_the_certificate(sets) -> None:
    """Every campaign's plan is of the very instant that is asked about; snapshots come four hours after theirs."""
    coupon = sets["coupon_v1"].manifest.certificate
    plan, coupons, *_, told = coupon.views
    assert (plan.event_at_label, plan.available_at_label) == (plan.rows, plan.rows)
    assert (plan.smallest_event_gap, plan.smallest_availability_gap) == (0, 0)
    assert coupons.smallest_event_gap >= 4 * 3600
    assert coupons.availability == "as-of + 4 h (publish delay)"
    assert told.is_static
    assert "raw/demographics/v1" in coupon.static_sources
    assert any("campaign_descriptions: facts at the label time itself count" in text for text in coupon.warnings)


def test_a_set_built_twice_has_one_content_hash_and_a_third_time_changes_nothing(groceries, sets) -> None:
    workspace = groceries.workspace
    twin = workspace.build_training_set("coupon_v1", LABELS["coupon_v1"], name="coupon_twin")
    first = sets["coupon_v1"].manifest
    assert not twin.is_unchanged
    assert twin.manifest.data.hash == first.data.hash == stored_hash(stored(groceries, twin))
    folder = groceries.warehouse / "training_sets" / first.name
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert set(files) == {"manifest.json", "certificate.json", "certificate.html", "card.html"}
    before = groceries.versions()

    again = workspace.build_training_set("coupon_v1", LABELS["coupon_v1"], name="coupon_v1")

    assert again.is_unchanged
    assert again.manifest == groceries.workspace.manifest("coupon_v1")
    assert again.manifest.run_id == first.run_id
    assert groceries.versions() == before
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == files
    assert not list((groceries.warehouse / "staging").rglob("joined"))


def test_a_stored_set_is_read_back_as_its_manifest_names_it(groceries, sets) -> None:
    made = sets["coupon_v1"]
    assert unlike(
        groceries.workspace.read_training_set("coupon_v1").toArrow(), stored(groceries, made),
        by=("household_id", "campaign_id"),
    ) == []  # fmt: skip
    release = Ledger.open(groceries.workspace.spark, groceries.workspace.context.warehouse).latest_release()
    tables = made.manifest.tables
    assert release is not None
    assert tables == {table: release.views[table]["version"] for table in tables}


@pytest.fixture(scope="module")
def edges() -> pa.Table:
    """Three households and a stranger at every edge, one row twice, and rows that lack a key or their instant."""
    asked = [(household, 18, at) for household in (1, 22, 2_489, NEVER_SEEN) for at in INSTANTS]
    asked += [asked[5], (None, 18, INSTANTS[5]), (1, None, INSTANTS[5]), (1, NEVER_SEEN, INSTANTS[5]), (1, 18, None)]
    households, campaigns, instants = zip(*asked, strict=True)
    at = [None if text is None else instant_us(text) for text in instants]
    return pa.table(
        {
            "row": pa.array(range(len(asked)), pa.int64()),
            "customer": pa.array(households, pa.int64()),
            "campaign_id": pa.array(campaigns, pa.int64()),
            "label_time": pa.array(at, pa.int64()).cast(INSTANT),
            "note": pa.array([f"row {n}, as it was asked" for n in range(len(asked))]),
        }
    )


def csv(table: pa.Table, path: Path) -> str:
    texts = pa.array([at and at.isoformat().replace("+00:00", "Z") for at in table["label_time"].to_pylist()])
    pyarrow.csv.write_csv(table.set_column(3, "label_time", texts), path / "spine.csv")
    return str(path / "spine.csv")


def pandas(table: pa.Table) -> pd.DataFrame:
    frame = table.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    return frame.astype({"label_time": "datetime64[ns, UTC]"})


def nanoseconds(table: pa.Table, path: Path) -> str:
    pandas(table).to_parquet(path / "spine.parquet")
    assert pq.read_schema(path / "spine.parquet").field("label_time").type == pa.timestamp("ns", tz="UTC")
    return str(path / "spine.parquet")


def delta(table: pa.Table, path: Path) -> str:
    write_deltalake(path / "spine", table)
    return str(path / "spine")


FORMS: Mapping[str, Callable[..., object]] = {
    "a Spark frame": lambda table, path, spark: spark.createDataFrame(table),
    "a pandas frame": lambda table, path, spark: pandas(table),
    "parquet with nanoseconds": lambda table, path, spark: nanoseconds(table, path),
    "CSV": lambda table, path, spark: csv(table, path),
    "a Delta table": lambda table, path, spark: delta(table, path),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_spine_in_any_form_gives_the_same_rows_on_every_edge(
    groceries, published, spark, edges: pa.Table, tmp_path: Path, form: str
) -> None:
    named = [name.replace("customer", "household_id") for name in edges.column_names]
    joined = published.joined("coupon_v1", edges.rename_columns(named))
    expected = without_evidence(joined).rename_columns(
        [name if name != "household_id" else "customer" for name in without_evidence(joined).column_names]
    )
    spine = FORMS[form](edges, tmp_path, spark)
    found = groceries.workspace.training_set("coupon_v1", spine, keys={"household_id": "customer"}).toArrow()
    if form == "CSV":  # whose other columns stay text
        found = found.set_column(0, "row", found["row"].cast(pa.int64()))
    assert unlike(found, expected, by=("row",)) == []
    # The oracle has both sides of every edge: it would tell a strict comparison from another.
    seen = [row[f"{SAW}household_visits"] for row in joined.sort_by("row").slice(10, 10).to_pylist()]
    assert seen[0] is None
    assert seen[1] == datetime(2017, 3, 12, tzinfo=UTC)
    kept = expected.sort_by("row").slice(10, 10)["household_visits__visit_count_distinct_30d"].to_pylist()
    assert [value is None for value in kept] == [True, False, False, True, True, True, False, False, False, True]
    plans = expected.sort_by("row").slice(10, 10)["campaign_descriptions__campaign_type"].to_pylist()
    assert [value is None for value in plans] == [True] * 5 + [False] * 5


def test_one_entity_in_two_roles_and_another_entity_beside_it(groceries, published, spark) -> None:
    pairs = FeatureService(
        "pairs_v1",
        features=(
            features_of(household_spend, "sales_value_sum_30d", "spend_trend"),
            features_of(household_spend, "sales_value_sum_30d", role="neighbour"),
            features_of(product_popularity, "household_id_count_distinct_30d_rank"),
        ),
        owner="tests",
    )
    at = datetime(2017, 11, 30, 4, tzinfo=UTC)
    asked = [(1, 22, 1_082_185, at), (22, 1, 995_242, at), (1, None, 1_082_185, at), (NEVER_SEEN, 22, None, at)]
    names = ("household_id", "neighbour_household_id", "product_id", "label_time")
    spine = pa.table(list(map(list, zip(*asked, strict=True))), schema=pa.schema(
        [*[(name, pa.int64()) for name in names[:3]], (names[3], INSTANT)]
    ))  # fmt: skip
    expected = published.ask(
        """
        WITH out AS (SELECT * FROM household_spend WHERE event_time = TIMESTAMPTZ '2017-11-30 00:00:00Z')
        SELECT
            s.*,
            mine.sales_value_sum_30d AS household_spend__sales_value_sum_30d,
            mine.spend_trend AS household_spend__spend_trend,
            theirs.sales_value_sum_30d AS neighbour_household_spend__sales_value_sum_30d,
            popular.household_id_count_distinct_30d_rank AS product_popularity__household_id_count_distinct_30d_rank
        FROM spine AS s
        LEFT JOIN out AS mine ON mine.household_id = s.household_id
        LEFT JOIN out AS theirs ON theirs.household_id = s.neighbour_household_id
        LEFT JOIN product_popularity AS popular
            ON popular.product_id = s.product_id AND popular.event_time = TIMESTAMPTZ '2017-11-30 00:00:00Z'
        """,
        spine=spine,
    )
    found = training_frame(
        groceries.workspace.context, TrainingSetRequest(service=pairs, spine=spark.createDataFrame(spine))
    )
    assert unlike(found.toArrow(), expected, by=names) == []
    values = expected.sort_by("household_id").to_pylist()[0]
    assert all(value is not None for name, value in values.items() if "__" in name)


COUPONS = key_of(household_coupons)
REDEEMED = FeatureService(
    "redeemed_v1", features=(features_of(household_coupons, "redemption_count_lifetime"),), owner="tests"
)
LIFETIME = "household_coupons__redemption_count_lifetime"


@pytest.fixture
def coupons(groceries, tmp_warehouse: Path) -> Context:
    """A warehouse with a copy of one view, whose rows the test may change."""
    for name in (COUPONS, "runs", "releases"):
        shutil.copytree(groceries.warehouse / name, tmp_warehouse / name)
    return replace(groceries.workspace.context, warehouse=Warehouse(str(tmp_warehouse)))


def release(context: Context) -> None:
    """The view's newest version, as the only one of a new release."""
    version = DeltaTable(f"{context.warehouse.root}/{COUPONS}").version()
    Ledger.open(context.spark, context.warehouse).release("by-hand", {COUPONS: version}, as_of=["2017-11-30"])


def test_a_restated_value_is_seen_while_it_stood_and_is_neither_scored_nor_exported(
    groceries, coupons: Context
) -> None:
    """For the two hours before, a household had another value, and a stranger had one at all (S12)."""
    whole = groceries.snapshot("household_coupons", "2017-11-30")
    household, published = (whole[name][0].as_py() for name in ("household_id", "redemption_count_lifetime"))
    restated = pa.concat_tables([whole.slice(0, 1)] * 2)
    then, until = (pa.array([instant_us(f"2017-11-30T0{h}:00:00Z")] * 2, pa.int64()).cast(INSTANT) for h in (2, 4))
    for name, value in {
        "household_id": pa.array([household, NEVER_SEEN]), "known_at": then, "available_time": then,
        "superseded_at": until, "redemption_count_lifetime": pa.array([999, 999]),
    }.items():  # fmt: skip
        restated = restated.set_column(restated.column_names.index(name), name, value)
    write_deltalake(f"{coupons.warehouse.root}/{COUPONS}", restated, mode="append")
    release(coupons)
    clocks = ((2, 0), (3, 59, 59, 999_999), (4, 0))
    instants = pa.array([datetime(2017, 11, 30, *clock, tzinfo=UTC) for clock in clocks] * 2, INSTANT)
    asked = pa.table({"household_id": [household] * 3 + [NEVER_SEEN] * 3, "label_time": instants})

    rows = training_frame(
        coupons, TrainingSetRequest(service=REDEEMED, spine=coupons.spark.createDataFrame(asked))
    ).toArrow()
    rows = rows.sort_by([("household_id", "ascending"), ("label_time", "ascending")])
    assert rows[LIFETIME].to_pylist() == [999, 999, published, 999, 999, None]

    scored = batch_frame(coupons, TrainingSetRequest(service=REDEEMED, spine=""), instant_us("2017-11-30")).toArrow()
    found = dict(zip(scored["household_id"].to_pylist(), scored[LIFETIME].to_pylist(), strict=True))
    assert (found[household], NEVER_SEEN in found, len(found)) == (published, False, scored.num_rows)

    store = Path(coupons.warehouse.root, "online")
    export(coupons, [REDEEMED], instant_us("2017-11-30"), store=EmbeddedStore(store))
    with EmbeddedStore(store).open() as reader:
        record = reader.get(COUPONS, [household])
        assert record is not None
        assert record.values[2] == published
        assert len(list(reader.records(COUPONS))) == whole.num_rows


def test_a_published_row_that_somebody_changed_goes_not_online(coupons: Context) -> None:
    """What is read back has to be what passed its gate; the snapshot before stays in force (S32, S34)."""
    store = Path(coupons.warehouse.root, "online")
    export(coupons, [REDEEMED], instant_us("2017-11-05T05:30:00Z"), store=EmbeddedStore(store))
    table = DeltaTable(f"{coupons.warehouse.root}/{COUPONS}")
    table.update(
        predicate="event_date = date '2017-11-30' and household_id = 1",
        updates={"redemption_count_30d": "redemption_count_30d + 1"},
    )
    release(coupons)
    with pytest.raises(StoreDamaged, match=f"{COUPONS} reads back with content hash .* Nothing was put online"):
        export(coupons, [REDEEMED], instant_us("2017-11-30"), store=EmbeddedStore(store))
    with EmbeddedStore(store).open() as reader:
        assert reader.description.as_of == "2017-11-05T05:30:00Z"
    assert not list((store / "snapshots").glob("2017-11-30*"))
    assert not list(Path(coupons.warehouse.root, "staging").glob("export-*"))
