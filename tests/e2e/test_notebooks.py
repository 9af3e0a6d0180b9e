"""The notebooks run on the real year of baskets, in kernels of their own, and come to what their pages claim."""

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
from PIL import Image

from docs.render_notebooks import PROJECT_ROOT, execute, notebook_of, page
from tests.e2e.conftest import Groceries
from tests.e2e.small.killing import gateway_of

SMALL = {"ZIGGURAT__SPARK__DRIVER_MEMORY": "1g", "ZIGGURAT__SPARK__MASTER": "local[2]"}


@dataclass(frozen=True)
class Ran:
    """A notebook after its run: its page with pictures, and what one more cell told about its variables."""

    notebook: Any
    files: dict[str, bytes]
    told: Any

    @property
    def text(self) -> str:
        return next(content.decode() for name, content in self.files.items() if name.endswith(".md"))


def run(name: str, warehouse: Path, tell: str, *, before: str = "") -> Ran:
    """Run a notebook as it is, `before` it another cell, then ask it for one JSON value."""
    notebook = notebook_of(PROJECT_ROOT / "notebooks" / f"{name}.py")
    notebook.cells.insert(0, nbformat.v4.new_code_cell(before))
    notebook.cells.append(nbformat.v4.new_code_cell(f"import json\nprint(json.dumps({tell}))"))
    execute(notebook, warehouse=str(warehouse), settings=SMALL)
    assert notebook.cells.pop(0).outputs == []
    (said,) = notebook.cells.pop().outputs
    return Ran(notebook, page(notebook, name), json.loads(said.text))


@pytest.fixture(scope="module")
def segments(groceries: Groceries) -> Ran:
    """With a Spark of its own, as a user runs it."""
    tell = '{"today": TODAY, "segment": people["segment"].to_dict(), "visits": people["visits"].to_dict()}'
    return run("1_segments", groceries.warehouse, tell)


@pytest.fixture(scope="module")
def churn(groceries: Groceries, spark_session) -> Ran:
    """On the Spark of the tests: a second start costs a minute and shows nothing more."""
    joined = f"from tests.lakehouse.nightly import joined_spark\n_spark = joined_spark(*{gateway_of(spark_session)})"
    tell = """{
        "auc": comparison["ROC AUC"].to_dict(),
        "leaks": leaks["ROC AUC"].to_dict(),
        "train_ends": str(rows["label_time"][is_train].max()),
        "test_starts": str(rows["label_time"][is_test].min()),
        "learnt_until": str(rows["label_time"][known].max()),
        "risk": dict(zip(map(str, batch["household_id"]), batch["risk"])),
        "banded": int(bands["households"].sum()),
        "features": FEATURES,
    }"""
    return run("2_churn", groceries.warehouse, tell, before=joined)


def test_every_household_of_the_newest_as_of_is_in_exactly_one_named_segment(
    groceries: Groceries, segments: Ran
) -> None:
    assert segments.told["today"] == "2017-11-30"
    households = groceries.snapshot("household_spend", "2017-11-30")["household_id"].to_pylist()
    assert sorted(map(int, segments.told["segment"])) == sorted(households)
    sizes = pd.Series(segments.told["segment"]).value_counts()
    assert len(sizes) >= 4
    assert sizes.min() >= 20
    assert all(name[0].isupper() and name in segments.text for name in sizes.index)


def test_households_that_did_not_come_are_not_clustered_as_if_their_nulls_were_zeros(segments: Ran) -> None:
    segment, visits = (pd.Series(segments.told[name]) for name in ("segment", "visits"))
    assert (visits == 0).sum() > 50
    assert set(segment[visits == 0]) == {"Gone quiet"}
    assert (visits[segment == "Gone quiet"] == 0).all()


def test_the_churn_model_beats_recency_out_of_time_and_leaks_would_flatter_it(churn: Ran) -> None:
    auc, leaks = churn.told["auc"], churn.told["leaks"]
    assert 0.7 < auc["Days since last visit alone"] < auc["Gradient boosting"] < 0.95
    honest = leaks.pop("split by time, features as they were known")
    assert len(leaks) == 2
    assert all(honest < leak <= 1 for leak in leaks.values())


def test_no_training_row_learns_from_days_that_the_test_rows_are_about(churn: Ran) -> None:
    horizon = pd.Timedelta(days=30)
    assert pd.Timestamp(churn.told["train_ends"]) + horizon <= pd.Timestamp(churn.told["test_starts"])
    assert pd.Timestamp(churn.told["learnt_until"]) + horizon <= pd.Timestamp("2017-11-30")


def test_every_household_gets_a_risk_and_stands_in_one_band(groceries: Groceries, churn: Ran) -> None:
    households = groceries.snapshot("household_spend", "2017-11-30")["household_id"].to_pylist()
    risk = churn.told["risk"]
    assert sorted(map(int, risk)) == sorted(households)
    assert all(0 <= value <= 1 for value in risk.values())
    assert churn.told["banded"] == len(households)
    service = groceries.workspace.registry.service("churn_v1")
    assert churn.told["features"] == [column.name for column in service.columns]


@pytest.mark.spark
@pytest.mark.parametrize("name", ["segments", "churn"])
def test_a_page_shows_every_figure_small_and_no_warning_or_path(name: str, request: pytest.FixtureRequest) -> None:
    ran: Ran = request.getfixturevalue(name)
    figures = [cell.metadata["figure"] for cell in ran.notebook.cells if "figure" in cell.metadata]
    pictures = {file: content for file, content in ran.files.items() if file.endswith(".png")}
    assert len(pictures) == len(set(figures)) == len(figures) > 4
    for file, content in pictures.items():
        assert f"]({file})" in ran.text
        assert len(content) < 60_000, file
        assert Image.open(io.BytesIO(content)).width == 1200
    printed = [output for cell in ran.notebook.cells for output in cell.get("outputs", ()) if "text" in output]
    assert not printed
    assert str(PROJECT_ROOT) not in ran.text
    assert "Warning" not in ran.text


def test_the_committed_pages_are_those_of_the_notebooks() -> None:
    for script in sorted((PROJECT_ROOT / "notebooks").glob("[0-9]*.py")):
        shown = (PROJECT_ROOT / "docs" / "notebooks" / f"{script.stem}.md").read_text("utf-8")
        for cell in notebook_of(script).cells:
            assert cell.source in shown, f"{script.name} changed: run `make notebooks`"
