"""Which services an export publishes when one of them can't be: the others, unless that would take it offline."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from definitions.durations import instant_us
from definitions.errors import NotReleased, UsageError
from definitions.registry import key_of
from definitions.services import FeatureService, features_of
from definitions.versions import fingerprints
from definitions.views import Definition
from features.aggregate.household_spend import household_spend
from features.aggregate.household_visits import household_visits
from features.derived.basket_lines import basket_lines
from features.entities import campaign, household
from features.raw.coupon_redemptions import coupon_redemptions
from jobs.export.job import exportable, refuse_to_leave_out, served_now
from jobs.export.progress import RowCount, counted_batches
from jobs.export.views import ExportedView, content_hash
from jobs.inputs.releases import Released
from jobs.run.published import PublishedState
from lakehouse.ledger.records import SliceRecord
from lakehouse.ledger.state import LedgerState
from lakehouse.table_state import TableState
from online_store.embedded.store import EmbeddedStore
from tests.online.examples import a_view, nightly

AS_OF = "2017-11-30"


def service(name: str, *selections) -> FeatureService:
    return FeatureService(name, features=selections, owner="tests")


SPEND, VISITS = service("spend_v1", features_of(household_spend)), service("visits_v1", features_of(household_visits))


def released(*views: Definition) -> Released:
    published = PublishedState(LedgerState())
    for view in views:
        state = TableState(columns=fingerprints(view))
        published.add([SliceRecord(key_of(view), AS_OF, "published", 5, table_version=1, state=state)])
    return Released(1, published.versions(), published)


def test_a_service_without_its_as_of_does_not_stop_the_others() -> None:
    chosen, refused = exportable(released(household_spend), [VISITS, SPEND], instant_us(AS_OF))
    assert chosen == [SPEND]
    assert isinstance(refused["visits_v1"], NotReleased)
    assert "household_visits has no snapshot of it" in str(refused["visits_v1"])


def test_of_two_services_that_need_a_view_under_two_keys_the_second_is_refused() -> None:
    by_campaign = service("campaigns_v1", features_of(coupon_redemptions, "coupon_upc", entity=campaign))
    by_household = service("households_v1", features_of(coupon_redemptions, "coupon_upc", entity=household))
    chosen, refused = exportable(released(), [by_campaign, by_household, by_campaign], instant_us(AS_OF))
    assert chosen == [by_campaign, by_campaign]
    assert isinstance(refused["households_v1"], UsageError)


def test_no_service_is_taken_offline_by_leaving_it_out(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "online")
    assert served_now(store) == frozenset()
    store.export(*nightly(0))
    assert served_now(store) == {"churn_v1", "referral_v2"}
    refused = {"new_v1": NotReleased("not built")}
    refuse_to_leave_out(refused, served=served_now(store))
    with pytest.raises(NotReleased, match="not built"):
        refuse_to_leave_out({**refused, "churn_v1": NotReleased("not built")}, served=served_now(store))


@pytest.fixture
def empty(tmp_path: Path) -> ExportedView:
    """A view of which nothing was known: files without rows, as Spark writes them."""
    stored = a_view("derived/lines/v1", keys={"id": "bigint"}, columns={"n": "int"}, rows=0)
    instant = pa.timestamp("us", "UTC")
    schema = pa.schema([("id", pa.int64()), ("event_time", instant), ("available_time", instant), ("n", pa.int32())])
    (tmp_path / "rows").mkdir()
    pq.write_table(schema.empty_table(), tmp_path / "rows" / "part-0.parquet")
    return ExportedView(stored=stored, path=str(tmp_path / "rows"), schema=schema, as_of_us=0, known_at_us=None)


def test_a_view_without_rows_gives_no_batch_and_the_hash_of_nothing(empty: ExportedView) -> None:
    assert sum(batch.num_rows for batch in empty.batches()) == 0
    assert content_hash(empty, iter([])) == "0" * 64


def test_rows_are_counted_as_they_pass(empty: ExportedView) -> None:
    seen: list[tuple[int, int, str]] = []
    count = RowCount(25_000, lambda *said: seen.append(said))
    assert list(count.counted(range(25_000))) == list(range(25_000))
    assert seen == [(10_000, 25_000, "rows"), (20_000, 25_000, "rows"), (25_000, 25_000, "rows")]
    batches = counted_batches([empty], lambda *said: seen.append(said))
    assert [batch.num_rows for batch in batches["derived/lines/v1"]] in ([], [0])


def test_a_service_of_facts_alone_needs_no_as_of() -> None:
    lines = service("lines_v1", features_of(basket_lines, "unit_price", entity=household))
    assert exportable(released(basket_lines), [lines], instant_us(AS_OF)) == ([lines], {})
