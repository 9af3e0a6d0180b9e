"""The point-in-time benchmark: its files, its hash of answers, and the page drawn from its results. No engine runs."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from benchmarks.pit.cases import Case, cases, short
from benchmarks.pit.data import LANDING_US, SLICES, folder_name, history_slices, question_of, spine_slices
from benchmarks.pit.figures import draw
from benchmarks.pit.page import DOCS, page
from benchmarks.pit.results import differing, read
from benchmarks.pit.row_hash import answer_in, answer_of
from benchmarks.pit.table import case_table, one_line
from benchmarks.pit.targets import targets

SMALL = Case("small", "one history", 2_000, 20_000)
TWO_CLOCKS = replace(SMALL, irregular=0.1)


def facts(case: Case, number: int = 0) -> pa.Table:
    return pa.concat_tables(history_slices(case, number))


def hash_of(table: pa.Table) -> str:
    return answer_of(table.to_batches()).hash


def cell(column: pa.Array, name: str = "x") -> str:
    return hash_of(pa.table({name: column}))


# The files


def test_the_same_case_makes_the_same_files_each_time_and_histories_differ() -> None:
    assert hash_of(facts(SMALL)) == hash_of(facts(SMALL))
    assert hash_of(facts(SMALL)) != hash_of(facts(SMALL, 1))


def test_a_history_has_its_rows_in_slices_of_time_and_in_no_order_within_one() -> None:
    slices = list(history_slices(SMALL, 0))
    assert (len(slices), sum(map(len, slices))) == (SLICES, SMALL.history_rows)
    for earlier, later in pairwise(slices):
        assert pc.max(earlier["event_time"]).as_py() < pc.min(later["event_time"]).as_py()
    for column in ("entity_id", "event_time", "seq"):
        assert np.any(np.diff(slices[0][column].cast(pa.int64()).to_numpy()) < 0)


def test_one_row_in_a_hundred_repeats_a_key_and_time_with_a_seq_of_its_own() -> None:
    made = facts(SMALL)
    ties = len(made) - len(made.group_by(["entity_id", "event_time"]).aggregate([]))
    assert 0.009 * len(made) < ties <= 0.01 * len(made)
    assert pc.count_distinct(made["seq"]).as_py() == len(made)


def test_about_two_percent_of_values_are_null() -> None:
    assert 0.01 < facts(SMALL)["v0"].null_count / SMALL.history_rows < 0.03


def test_spine_and_histories_are_about_the_same_people() -> None:
    spine = pa.concat_tables(spine_slices(SMALL))
    assert len(spine) == SMALL.spine_rows
    assert max(pc.max(spine["entity_id"]).as_py(), pc.max(facts(SMALL)["entity_id"]).as_py()) < SMALL.entities
    assert spine.schema.field("label_time").type == pa.timestamp("us", tz="UTC")


@pytest.mark.parametrize(("keys", "least", "most"), [("uniform", 0, 0.01), ("zipf", 0.01, 0.06), ("hot", 0.1, 0.17)])
def test_the_commonest_key_is_as_common_as_declared_on_both_sides(keys: str, least: float, most: float) -> None:
    case = replace(SMALL, keys=keys)
    for table in (facts(case), pa.concat_tables(spine_slices(case))):
        commonest = pc.max(pc.value_counts(table["entity_id"]).field("counts")).as_py()
        assert least < commonest / len(table) < most


def test_a_plain_fact_is_known_when_it_happens() -> None:
    made = facts(SMALL)
    assert made["available_time"].equals(made["event_time"])
    assert "fact_id" not in made.column_names


def test_with_two_clocks_half_of_the_irregular_rows_are_late_and_half_correct_a_fact() -> None:
    made = facts(TWO_CLOCKS)
    corrections = len(made) - pc.count_distinct(made["fact_id"]).as_py()
    delay = made["available_time"].cast(pa.int64()).to_numpy() - made["event_time"].cast(pa.int64()).to_numpy()
    assert corrections == pytest.approx(0.05 * len(made), rel=0.02)
    assert np.sum(delay > LANDING_US) == pytest.approx(0.1 * len(made), rel=0.06)
    assert delay.min() == LANDING_US


def test_a_corrected_fact_keeps_its_key_and_event_time() -> None:
    by_fact = (
        facts(TWO_CLOCKS).group_by("fact_id").aggregate([(n, "count_distinct") for n in ("entity_id", "event_time")])
    )
    assert (
        pc.max(by_fact["entity_id_count_distinct"]).as_py() == pc.max(by_fact["event_time_count_distinct"]).as_py() == 1
    )


def test_files_are_made_once_and_the_sorted_ones_hold_the_same_rows(tmp_path: Path) -> None:
    plain = question_of(SMALL, tmp_path)
    begun = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.parquet")}
    ordered = question_of(SMALL, tmp_path, is_sorted=True)
    assert {file: file.stat().st_mtime_ns for file in begun} == begun
    assert answer_in(ordered.histories[0]) == answer_in(plain.histories[0])
    assert answer_in(ordered.spine) == answer_in(plain.spine)


def test_cases_that_differ_only_in_their_spines_share_their_histories() -> None:
    known = {case.name: case for case in cases()}
    assert folder_name(known["m"]) == folder_name(known["spine_250k"]) != folder_name(known["m_hot"])
    assert len(known) == len(cases())


# The hash


def test_neither_the_order_of_rows_nor_of_columns_nor_the_batches_matter() -> None:
    table = facts(SMALL)
    mixed = table.take(pa.array(np.random.default_rng(0).permutation(len(table)))).select(table.column_names[::-1])
    assert answer_of(mixed.to_batches(max_chunksize=77)) == answer_of(table.to_batches())


def test_one_changed_cell_changes_it() -> None:
    numbers = np.arange(1000.0)
    changed = np.where(numbers == 500, np.nextafter(500.0, 501.0), numbers)
    assert cell(pa.array(numbers)) != cell(pa.array(changed))


def test_values_that_changed_rows_change_it() -> None:
    straight, crossed = {"x": [1, 2], "y": [10, 20]}, {"x": [1, 2], "y": [20, 10]}
    assert hash_of(pa.table(straight)) != hash_of(pa.table(crossed))


def test_values_that_changed_columns_and_duplicate_rows_change_it() -> None:
    assert hash_of(pa.table({"x": [1], "y": [2]})) != hash_of(pa.table({"x": [2], "y": [1]}))
    assert cell(pa.array([1])) != cell(pa.array([1, 1])) != cell(pa.array([2, 2]))


def test_null_nan_and_zero_are_three_values() -> None:
    assert len({cell(pa.array([value], pa.float64())) for value in (None, float("nan"), 0.0)}) == 3


def test_an_instant_or_a_whole_number_counts_by_value_in_every_notation() -> None:
    micros = pa.array([1_735_689_600_000_001], pa.timestamp("us", tz="UTC"))
    assert cell(micros) == cell(micros.cast(pa.timestamp("ns", tz="UTC"))) == cell(micros.cast(pa.timestamp("us")))
    assert cell(pa.array([1], pa.int8())) == cell(pa.array([1], pa.int64()))


def test_a_column_that_it_does_not_know_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="column 'name' is string"):
        cell(pa.array(["a"]), "name")


# What is measured


def test_sizes_are_short_to_read() -> None:
    assert [short(count) for count in (999, 100_000, 2_500_000)] == ["999", "100 k", "2.5 M"]


# The page


def entry(engine: str, walls: list[float], *, answer: str = "aa", **more) -> dict:
    runs = [{"wall": wall, "cpu": 2 * wall, "peak_mb": 1000.0} for wall in walls]
    head = {"engine": engine, "question": "plain", "status": "answered", "at": "2026-11-23T10:00:00+00:00"}
    return head | {"runs": runs, "rows": 10, "hash": answer} | more


@pytest.fixture
def results() -> dict:
    entries = {
        "m/colocated": entry("colocated", [1.0, 9.0, 1.5], laid_out={"wall": 20.0, "cpu": 40.0, "peak_mb": 1.0}),
        "m/duckdb": entry("duckdb", [3.0, 3.0, 3.0]),
        "m/duckdb sorted": entry("duckdb", [2.0, 2.0, 2.0], is_sorted=True),
        "m/polars": entry("polars", [2.0], answer="bb"),
        "m/feast": {**entry("feast", []), "status": "over the limit", "limit": 300.0},
        "m/limit": entry("limit", [0.5], answer="cc"),
    }
    del entries["m/feast"]["hash"]
    case = next(case for case in cases() if case.name == "m")
    facts = {"title": case.title, "spine_rows": 1_000_000, "history_rows": 10_000_000, "histories": 1, "keys": "zipf"}
    return {
        "machine": {"processor": "a processor", "cores": 2, "memory_gb": 25, "java": "17", "python": "3.11"},
        "versions": {},
        "cases": {"m": facts},
        "entries": entries,
    }


def test_medians_and_ratios_are_in_the_table_and_other_answers_are_marked(results: dict) -> None:
    text = page(results)
    assert "| Ziggurat, co-located | 1.50 | 3.00 | 1.0 | 1.00 | 3 | same |" in text
    assert "| DuckDB ASOF | 3.00 | 6.00 | 2.0 | 1.00 | 3 | same |" in text
    assert "| polars join_asof | 2.00 | 4.00 | 1.3 | 1.00 | 1 | **differs** |" in text
    assert "| DuckDB ASOF, sorted files | 2.00 |" in text
    assert differing(results, "m") == {"polars"}


def test_an_engine_that_did_not_finish_is_shown_with_the_limit(results: dict) -> None:
    assert "| Feast, Spark store | > 300 s |" in page(results)
    assert one_line(results["entries"]["m/feast"]) == "> 300 s"
    assert "> 300 s" in case_table(results, "m")


def test_a_target_that_was_missed_says_so_and_one_that_was_not_measured_too(results: dict) -> None:
    by_requirement = {target.requirement: (target.measured, target.is_reached) for target in targets(results)}
    assert by_requirement["at least 2× faster than DuckDB, 1 M × 10 M, one history"] == ("2.00×", True)
    assert by_requirement["at least 2× faster than polars, 1 M × 10 M, one history"] == ("1.33×", False)
    assert by_requirement["at least 20× faster than Feast's Spark store, 1 M × 10 M"] == ("more than 200×", True)
    assert by_requirement["at least 6× faster than dbl-tempo, 1 M × 10 M"] == ("not measured", None)
    assert "| 1.33× | **no** |" in page(results)


def test_figures_are_the_same_bytes_for_the_same_results(results: dict, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        assert draw(results, folder) == ["performance-engines.svg", "performance-cases.svg"]
    assert all((second / file.name).read_bytes() == file.read_bytes() for file in first.iterdir())


def test_the_page_in_the_docs_is_what_the_committed_results_give() -> None:
    assert (DOCS / "performance.md").read_text("utf-8") == page(read())
