"""The files: a spine and its histories, the same on every machine, made once and used again."""

import shutil
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.pit.cases import FEATURES, Case, Question

SLICES = 12  # files of a table, cut by time: never clustered by entity
START_US = 1_735_689_600_000_000  # 2025-01-01T00:00:00Z
DAY_US = 86_400_000_000
YEAR_US = 365 * DAY_US
LANDING_US = 3_600_000_000  # of histories with two clocks: an hour
NULLS = 0.02
TIES = 100  # one row in so many has the key and the event time of another
_INSTANT = pa.timestamp("us", tz="UTC")


def question_of(case: Case, folder: Path, *, is_sorted: bool = False) -> Question:
    """The case's files, made if they are not there yet: about a second for a million rows."""
    path = folder / folder_name(case)
    spine = _made(path / f"spine-{case.spine_rows}", lambda: spine_slices(case))
    histories = [
        _made(path / f"h{number}", lambda number=number: history_slices(case, number))  # type: ignore[misc]
        for number in range(case.histories)
    ]
    if is_sorted:
        spine = _made_sorted(spine, ["entity_id", "label_time"])
        histories = [_made_sorted(history, ["entity_id", "event_time", "seq"]) for history in histories]
    return Question(spine, tuple(histories), is_sorted=is_sorted, has_clocks=case.irregular is not None)


def folder_name(case: Case) -> str:
    """The folder's name: cases that differ only in their spines or in the number of histories share one."""
    kind = "plain" if case.irregular is None else f"irregular-{case.irregular:g}"
    return f"{case.keys}-{case.history_rows}-{kind}"


def spine_slices(case: Case) -> Iterator[pa.Table]:
    """entity_id, label_time and a label: entities as often as in the histories, label times all over the year."""
    draw = _Draw.of(case)
    for index, rows in enumerate(_shares(case.spine_rows)):
        random = _random(case, "spine", index)
        yield pa.table(
            {
                "entity_id": draw.entities(rows, random),
                "label_time": pa.array(_times(rows, index, random), _INSTANT),
                "label": random.integers(0, 2, rows),
            }
        )


def history_slices(case: Case, number: int) -> Iterator[pa.Table]:
    """Facts in the order of no column: entity_id, event_time, available_time, seq, five doubles.

    Each fact's `seq` is its place in the order of arrival. With two clocks there is `fact_id` too: half of the
    irregular rows came one to ten days late, the other half are second versions of a fact, up to twenty days later.
    """
    draw = _Draw.of(case)
    first = 0
    for index, rows in enumerate(_shares(case.history_rows)):
        yield _facts(case, draw, rows, index=index, first=first, random=_random(case, f"h{number}", index))
        first += rows


def _facts(case: Case, draw: "_Draw", rows: int, *, index: int, first: int, random: np.random.Generator) -> pa.Table:
    entity, event = draw.entities(rows, random), _times(rows, index, random)
    ties = rows // TIES
    if ties:
        copied = random.integers(0, rows - ties, ties)
        entity[-ties:], event[-ties:] = entity[copied], event[copied]
    fact = np.arange(first, first + rows)
    available = event + (0 if case.irregular is None else LANDING_US)
    irregular = int(rows * (case.irregular or 0) / 2)
    if irregular:
        late = random.choice(rows - irregular, irregular, replace=False)
        available[late] += random.integers(DAY_US, 10 * DAY_US, irregular)
        corrected = random.choice(rows - irregular, irregular, replace=False)
        for column in (entity, event, fact):
            column[-irregular:] = column[corrected]
        available[-irregular:] = available[corrected] + random.integers(DAY_US, 20 * DAY_US, irregular)
    columns = {
        "entity_id": pa.array(entity),
        "event_time": pa.array(event, _INSTANT),
        "available_time": pa.array(available, _INSTANT),
        "seq": pa.array(np.arange(first, first + rows)),
        **({} if case.irregular is None else {"fact_id": pa.array(fact)}),
        **{name: pa.array(random.standard_normal(rows), mask=random.random(rows) < NULLS) for name in FEATURES},
    }
    return pa.table(columns).take(pa.array(random.permutation(rows)))


@dataclass(frozen=True)
class _Draw:
    """Whom rows are about: the same people, as often, in a spine and in all histories."""

    ids: np.ndarray
    heights: np.ndarray | None
    hot: float

    @classmethod
    def of(cls, case: Case) -> "_Draw":
        ids = np.random.default_rng(case.entities).permutation(case.entities)
        if case.keys == "uniform":
            return cls(ids, None, 0.0)
        weights = np.arange(1, case.entities + 1) ** -0.6
        return cls(ids, np.cumsum(weights) / weights.sum(), 0.1 if case.keys == "hot" else 0.0)

    def entities(self, rows: int, random: np.random.Generator) -> np.ndarray:
        drawn = random.random(rows)
        if self.heights is None:
            return self.ids[(drawn * len(self.ids)).astype(np.int64)]
        ids = self.ids[np.minimum(np.searchsorted(self.heights, drawn), len(self.ids) - 1)]
        if self.hot:
            ids[random.random(rows) < self.hot] = self.ids[0]
        return ids


def _times(rows: int, index: int, random: np.random.Generator) -> np.ndarray:
    length = YEAR_US // SLICES
    return START_US + index * length + random.integers(0, length, rows)


def _shares(rows: int) -> list[int]:
    return [rows * (index + 1) // SLICES - rows * index // SLICES for index in range(SLICES)]


def _random(case: Case, table: str, index: int) -> np.random.Generator:
    seed = f"{table} {index} {case.keys} {case.irregular} {case.history_rows} {case.spine_rows * (table == 'spine')}"
    return np.random.default_rng(zlib.crc32(seed.encode()))


def _made(folder: Path, slices: Callable[[], Iterator[pa.Table]]) -> Path:
    if not folder.is_dir():
        _write(folder, slices())
    return folder


def _made_sorted(source: Path, order: list[str]) -> Path:
    folder = source.with_name(f"{source.name}-sorted")
    if not folder.is_dir():
        table = pq.read_table(source).sort_by([(name, "ascending") for name in order])
        ends = np.cumsum([0, *_shares(table.num_rows)])
        _write(folder, (table.slice(begin, end - begin) for begin, end in pairwise(ends)))
    return folder


def _write(folder: Path, slices: Iterator[pa.Table]) -> None:
    """Under another name until it is whole: a run that was stopped leaves nothing that looks finished."""
    half = folder.with_name(f"{folder.name}.half")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    for number, table in enumerate(slices):
        pq.write_table(table, half / f"part-{number:02}.parquet", compression="snappy")
    half.rename(folder)
