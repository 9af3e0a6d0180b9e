"""`import ziggurat as zg`: the same verbs from Python, and what a definition would give before it is published."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from chispa import assert_df_equality

import ziggurat as zg
from definitions.errors import UnknownName, UsageError
from definitions.zones import offsets
from lakehouse.session import zone_data
from lakehouse.session.errors import EnvironmentProblem
from tests.e2e.small.bikes import FIRST, Bikes


@pytest.fixture(scope="module")
def opened(spark_session, tmp_path_factory: pytest.TempPathFactory) -> Iterator[zg.Workspace]:
    bikes = Bikes.written(tmp_path_factory.mktemp("python") / "python bikes")
    with bikes.at_home():
        workspace = zg.open(conf="conf.yaml")
        assert workspace.build(FIRST).error is None
        yield workspace


def test_a_build_from_python_is_the_same_build_and_a_second_one_changes_nothing(opened: zg.Workspace) -> None:
    again = opened.build(FIRST)

    assert again.is_unchanged
    assert list(opened.runs()["status"]) == ["ended"]
    assert opened.retry() is None


@pytest.mark.parametrize("view", ["trips", "rider_activity", "rider_vs_plan"])
def test_the_preview_of_everything_is_what_was_published(opened: zg.Workspace, view: str) -> None:
    previewed = opened.preview(view, as_of=FIRST, sample=1.0)
    published = opened.view(view, as_of=None if view == "trips" else FIRST).select(*previewed.columns)

    assert_df_equality(previewed, published, ignore_row_order=True, ignore_nullable=True)


def test_a_smaller_preview_holds_whole_entities_with_their_published_values(opened: zg.Workspace) -> None:
    whole = opened.preview("rider_activity", as_of=FIRST, sample=1.0).toPandas().set_index("rider_id")
    part = opened.preview("rider_activity", as_of=FIRST, sample=0.5).toPandas().set_index("rider_id")

    assert 0 < len(part) < len(whole)
    assert part.to_dict("index") == whole.loc[part.index].to_dict("index")


def test_nothing_is_previewed_with_zone_data_that_differ(opened: zg.Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zone_data, "offsets", lambda _: offsets("Asia/Tokyo"))
    monkeypatch.setattr(zone_data, "_AGREED", set())
    with pytest.raises(EnvironmentProblem, match="is used by an expression, and Spark's Java shows another time"):
        opened.preview("trips", as_of=FIRST)


def test_what_is_declared_can_be_looked_at(opened: zg.Workspace) -> None:
    assert "aggregate/rider_activity/v1" in set(opened.views()["name"])
    assert opened.definition("rider_activity").name == "rider_activity"


def test_a_snapshot_that_was_not_built_names_the_command_that_builds_it(opened: zg.Workspace) -> None:
    with pytest.raises(
        UnknownName, match=r"no snapshot of 2024-05-01.*build --as-of 2024-05-01 --select rider_activity"
    ):
        opened.view("rider_activity", as_of="2024-05-01")


def test_facts_have_no_snapshots_and_sources_no_preview(opened: zg.Workspace) -> None:
    with pytest.raises(UsageError, match="leave as_of out"):
        opened.view("trips", as_of=FIRST)
    with pytest.raises(UsageError, match="is a source; preview a view"):
        opened.preview("rides", as_of=FIRST)


def test_a_wrong_setting_is_told_with_its_nearest_and_where_it_came_from(tmp_path: Path) -> None:
    from ziggurat.settings import ConfigurationError, resolve

    with pytest.raises(
        ConfigurationError, match=r"'build.worker' \(from -s build.worker=2\) is unknown. Did you mean 'build.workers'"
    ):
        resolve(overrides=["build.worker=2"])
