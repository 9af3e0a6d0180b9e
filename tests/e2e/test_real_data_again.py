"""Building again changes nothing, building alone gives the same bits, what fails its gate stays out (S21, S28, S30)."""

from pathlib import Path

import pytest
from deltalake import DeltaTable
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from compute.windows import snapshots
from definitions.durations import day_or_instant, instant_us
from definitions.registry import key_of
from definitions.views import AggregateView
from jobs.run.outcome import Status
from lakehouse.ledger.ledger import Ledger
from lakehouse.tables import read
from quality import GateFailed
from quality.measure import SLICE, measure
from tests.e2e.conftest import opened
from tests.e2e.oracle.recompute import EARLY, EDGES, LATE, SNAPSHOTS

AGGREGATES = SNAPSHOTS[:7]

# Someone's own views on the shipped basket lines; how much a household may spend in 30 days is up to the test.
OWN_VIEWS = """
from features.derived.basket_lines import basket_lines
from features.entities import household
from ziggurat.model import AggregateView, CrossEntityView, count, rank, sum_of

own = dict(entity=household, version=1, owner="tests")
big_spenders = AggregateView(
    "big_spenders",
    source=basket_lines,
    windows=("30d",),
    features=(sum_of("sales_value", unit="USD", quantum="0.01", at_least=0, at_most={at_most}),),
    **own,
)
big_spenders_ranked = CrossEntityView(
    "big_spenders_ranked", of=big_spenders, features=(rank("sales_value_sum_30d", at_least=1),), **own
)
steady_shoppers = AggregateView(
    "steady_shoppers",
    source=basket_lines,
    windows=("30d",),
    features=(count(named="line", unit="lines", at_least=0),),
    **own,
)
"""
OWN = ("aggregate/big_spenders/v1", "cross_entity/big_spenders_ranked/v1", "aggregate/steady_shoppers/v1")
READ_BY_OWN = ("raw/transactions/v1", "raw/products/v1", "raw/promotions/v1", "derived/basket_lines/v1")


def test_finished_as_ofs_change_no_table_and_say_so(groceries) -> None:
    before = groceries.versions()
    again = groceries.workspace.backfill(*EARLY, every="113d")
    alone = groceries.workspace.build(LATE[1])
    assert again.is_unchanged
    assert alone.is_unchanged
    assert len(alone.steps) == len(groceries.workspace.registry.definitions)
    assert (again.release, alone.release) == (groceries.runs[-1].release,) * 2
    assert groceries.versions() == before


@pytest.mark.parametrize("name", AGGREGATES)
def test_one_as_of_alone_is_bit_for_bit_what_was_published_among_others(spark, groceries, name: str) -> None:
    """S21 and S24: other instants beside it, later facts in the table and another partitioning show in no bit."""
    context, view, at = groceries.workspace.context, groceries.workspace.definition(name), instant_us(EDGES[0])
    assert isinstance(view, AggregateView)
    facts = read(spark, context.warehouse.address(key_of(view.source)).path)
    alone = _as_published(snapshots(facts, view, [at], partitions=3), view)
    keys = view.entity.key_names
    features = [feature.name for feature in view.published]
    columns = [*keys, "event_time", "known_at", "available_time", *features]
    found = measure(alone, keys=keys, profiled=features, hashed=columns).hashes[at]
    published = Ledger.open(spark, context.warehouse).state().published[key_of(view), day_or_instant(at)]
    assert (found.hex, found.rows) == (published.hash, published.rows)


def _as_published(rows: DataFrame, view: AggregateView) -> DataFrame:
    def after(delay_us: int) -> F.Column:
        return F.timestamp_micros(F.unix_micros("event_time") + F.lit(delay_us))

    clocks = {"known_at": after(view.cut_delay_us), "available_time": after(view.publish_delay_us)}
    return rows.withColumns({**clocks, SLICE: F.unix_micros("event_time")})


@pytest.fixture
def own_views(groceries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Opens the groceries' warehouse with one's own views, whose sum may be `at_most` so much."""
    monkeypatch.syspath_prepend(tmp_path)

    def opened_with(package: str, at_most: float):
        (tmp_path / f"{package}.py").write_text(OWN_VIEWS.format(at_most=at_most), "utf-8")
        return opened(groceries.sources, groceries.warehouse, definitions=package)

    return opened_with


def test_a_view_that_fails_its_gate_keeps_what_was_published_and_blocks_only_its_dependents(
    groceries, oracle, own_views
) -> None:
    shipped = groceries.versions()
    assert own_views("generous_views", 1e6).build(LATE[0]).error is None
    before = groceries.versions()
    run = own_views("strict_views", 2_000).build(LATE[1])
    steps = {step.table: step for step in run.steps}
    spent = oracle.answer("household_spend", LATE[1])["sales_value_sum_30d"].to_pylist()

    # What failed says so, with its figures.
    assert [steps[name].status for name in OWN] == [Status.FAILED, Status.BLOCKED, Status.PUBLISHED]
    assert isinstance(run.error, GateFailed)
    (failure,) = steps[OWN[0]].failures
    assert (failure.slice, failure.feature) == (LATE[1], "sales_value_sum_30d")
    assert (failure.bound, failure.found) == (2_000, max(spent))
    for told in (*OWN[:1], LATE[1], "sales_value_sum_30d", "2056.47", "2000"):
        assert told in str(run.error).replace(",", "")

    # What was published stays, alone; what did not read it went on.
    after = groceries.versions()
    assert [after[name] - before[name] for name in OWN] == [0, 0, 1]
    assert {name: after[name] for name in shipped if name.split("/")[0] in ("raw", "derived", "aggregate")} == {
        name: shipped[name] for name in shipped if name.split("/")[0] in ("raw", "derived", "aggregate")
    }
    instants = DeltaTable(groceries.warehouse / OWN[0]).to_pyarrow_table(columns=["event_time"])["event_time"]
    assert {at.isoformat() for at in instants.unique().to_pylist()} == {"2017-11-05T05:30:00+00:00"}

    # The rejected rows are kept, whole; nothing else is left in staging.
    kept = groceries.warehouse / "staging" / run.run_id
    assert [path.name for path in kept.iterdir()] == ["big_spenders"]
    rejected = DeltaTable(kept / "big_spenders").to_pyarrow_table()["sales_value_sum_30d"].to_pylist()
    assert sorted(rejected) == sorted(spent)

    # With the bound mended, the next run publishes what was missing, and only that.
    mended = {step.table: step.status for step in own_views("mended_views", 1e6).build(LATE[1]).steps}
    assert [mended[name] for name in OWN] == [Status.PUBLISHED, Status.PUBLISHED, Status.UNCHANGED]

    # Its release names what other definitions built beside it, too.
    context = groceries.workspace.context
    release = Ledger.open(context.spark, context.warehouse).latest_release()
    assert release is not None
    assert {*OWN, *context.registry.by_key} == set(release.views)


def test_select_builds_a_view_with_what_it_needs_and_with_a_plus_what_is_built_on_it(groceries, own_views) -> None:
    workspace = own_views("selected_views", 1e6)
    one = workspace.build(EARLY[1], select=("steady_shoppers",))
    assert {step.table for step in one.steps} == {*READ_BY_OWN, OWN[2]}
    assert [step.table for step in one.steps if step.status is Status.PUBLISHED] == [OWN[2]]
    above = workspace.build(EARLY[1], select=("big_spenders+",))
    assert {step.table for step in above.steps} == {*READ_BY_OWN, OWN[0], OWN[1]}
    assert [step.table for step in above.steps if step.status is Status.PUBLISHED] == [OWN[0], OWN[1]]
