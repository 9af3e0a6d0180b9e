"""Look-ups of derived views as whole jobs, beside DuckDB's ASOF join: `make bench-lookups`, or --runs 5.

Read parquet, look up, write parquet: `compute.rows.derive` here, `ASOF LEFT JOIN` there, in one run, each engine in a
process of its own, warmed up on a small set. Rows ask for the newest fact of their key with an earlier or equal event
time. Answers are compared by a hash of all rows. DuckDB has one clock and no versions, and gets the plain question; the
other questions are ours alone. `ziggurat` sends few facts to every task, as a build does; `shuffled` brings rows and
facts together by key, as it does with many. Then cross-entity views: all entities of one T in one group, and the most
memory that one task held. Data are in .bench-lookups/: 0.5 GB.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from shutil import rmtree
from typing import Any

from benchmarks.lookup_data import FOLDER, MILLION, Case, facts_of, rows_of, snapshots_of
from benchmarks.pit.row_hash import answer_in
from jobs.run import process_tree
from ziggurat.cli.terminal import table_text

FACTS_PER_TASK = 400_000  # as conf/base.yaml has it
DRIVER_MEMORY = "4g"


def _cases() -> Iterator[Case]:
    for keys in (3, 100_000):
        yield Case(MILLION, MILLION, keys)
    for keys in (3, 100_000):
        for share in (0.5, 2):
            yield Case(int(share * MILLION), MILLION, keys, engines=("ziggurat",))
            yield Case(MILLION, int(share * MILLION), keys, engines=("ziggurat",))
        yield Case(MILLION, MILLION, keys, late=0.01, engines=("ziggurat",))
        yield Case(MILLION, MILLION, keys, late=0.1, engines=("ziggurat",))


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m benchmarks.lookups", description=__doc__)
    options.add_argument("--runs", type=int, default=7)
    options.add_argument("--only", choices=("lookups", "groups"), help="one half of it")
    options.add_argument("--most", type=int, default=10, help="millions of entities in a group")
    options.add_argument("--work", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.work:
        _work(json.loads(chosen.work))
        return
    FOLDER.mkdir(exist_ok=True)
    if chosen.only != "groups":
        sys.stdout.write(f"{_lookups(chosen.runs)}\n\n")
    if chosen.only != "lookups":
        sys.stdout.write(f"{_groups(chosen.runs, chosen.most)}\n")


def _lookups(runs: int) -> str:
    lines = []
    for case in _cases():
        results = {engine: _measured({"engine": engine, "case": asdict(case), "runs": runs}) for engine in case.engines}
        other = results.get("duckdb")
        for engine, result in results.items():
            share = f"{result['median'] / other['median']:.2f}" if other else ""
            is_same = "" if other is None else "yes" if result["hash"] == other["hash"] else "NO"
            lines.append([case.name, engine, *_figures(result), share, result["rows"], is_same])
    header = ["look-up", "engine", "seconds", "min", "max", "CPU s", "peak GB", "× DuckDB", "rows", "equal"]
    return table_text(header, lines)


def _groups(runs: int, most: int) -> str:
    lines = []
    for millions in sorted({max(most // 4, 1), max(most // 2, 1), most}):
        result = _measured({"engine": "groups", "entities": millions * MILLION, "runs": min(runs, 3)})
        lines.append([f"{millions} M entities at one T", *_figures(result), round(result["task_mb"], 1)])
    return table_text(["group", "seconds", "min", "max", "CPU s", "peak GB", "most MB of a task"], lines)


def _figures(result: dict[str, Any]) -> list[float]:
    return [
        round(result["median"], 2),
        round(min(result["walls"]), 2),
        round(max(result["walls"]), 2),
        round(statistics.median(result["cpus"]), 2),
        round(result["peak_mb"] / 1000, 2),
    ]


def _measured(order: dict[str, Any]) -> dict[str, Any]:
    """One engine on one case, in a process whose tree's memory is looked at while it works."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')}  {json.dumps(order)}\n")
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.lookups", "--work", json.dumps(order)]
    log = FOLDER / "worker.log"
    peak = 0.0
    with log.open("w") as errors, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as worker:
        try:
            while worker.poll() is None:
                peak = max(peak, process_tree.resident_mb(worker.pid))
                with suppress(subprocess.TimeoutExpired):
                    worker.wait(0.2)
            output = worker.stdout.read() if worker.stdout else ""
        finally:
            process_tree.kill(worker.pid)
    if worker.returncode:
        raise SystemExit(f"{order['engine']} ended with {worker.returncode}; see {log}")
    result: dict[str, Any] = json.loads(output.splitlines()[-1])
    return result | {"peak_mb": peak, "median": statistics.median(result["walls"])}


def _work(order: dict[str, Any]) -> None:
    scratch = FOLDER / "scratch"
    rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    result = _group_work(order, scratch) if order["engine"] == "groups" else _lookup_work(order, scratch)
    sys.stdout.write(f"{json.dumps(result)}\n")


def _lookup_work(order: dict[str, Any], scratch: Path) -> dict[str, Any]:
    case = Case(**order["case"])
    start = {"ziggurat": _ziggurat, "shuffled": _shuffled, "duckdb": _duckdb}[order["engine"]]
    answer = start(scratch)
    output = scratch / "answer.parquet"
    small = replace(case, rows=50_000, facts=50_000)
    for _ in range(3):
        answer(small, output)
    walls, cpus = _timed(lambda: answer(case, output), order["runs"])
    return {"walls": walls, "cpus": cpus} | asdict(answer_in(output))


def _timed(work: Callable[[], None], runs: int) -> tuple[list[float], list[float]]:
    walls, cpus = [], []
    for _ in range(runs):
        begun, used = time.monotonic(), process_tree.cpu_seconds(_own())
        work()
        walls.append(time.monotonic() - begun)
        cpus.append(process_tree.cpu_seconds(_own()) - used)
    return walls, cpus


def _own() -> int:
    return int(Path("/proc/self").resolve().name)


def _shuffled(scratch: Path) -> Callable[[Case, Path], None]:
    return _ziggurat(scratch, are_few=False)


def _ziggurat(scratch: Path, *, are_few: bool = True) -> Callable[[Case, Path], None]:
    from compute.lookups import FEWEST, LookedUp
    from compute.rows import derive
    from ziggurat.model import AvailableColumn, Column, DerivedView, EventTime, Kind, Source, lookup

    spark = _session(scratch, {})

    def source(name: str, value: str) -> Source:
        columns = (Column("key", "bigint"), Column("id", "bigint"), Column(value, "double"))
        clocks = (Column("event_at", "timestamp"), Column("told_at", "timestamp"))
        return Source(
            name=name,
            kind=Kind.EVENTS,
            version=1,
            owner="benchmarks",
            columns=(*columns, *clocks),
            identity=("id",),
            event_time=EventTime("event_at"),
            available=AvailableColumn("told_at"),
        )

    rides, weather = source("rides", "amount"), source("weather", "level")
    asked = lookup(weather, on=("key",), take=("level",))
    view = DerivedView("rides_in_weather", source=rides, version=1, owner="benchmarks", lookups=(asked,))

    def read(path: Path) -> Any:
        rows = spark.read.parquet(str(path))
        return rows.selectExpr(
            "*", "event_time as event_at", "available_time as told_at", "cast(null as timestamp) as superseded_at"
        )

    def answer(case: Case, output: Path) -> None:
        looked_up = LookedUp(asked, read(facts_of(case)), is_regular=not case.late, are_few=are_few)
        partitions = max(FEWEST, -(-(case.rows + case.facts) // FACTS_PER_TASK))
        rows = derive(read(rows_of(case)), [looked_up], view, partitions=partitions)
        rows.select("key", "id", "amount", "event_time", "available_time", "level").write.mode("overwrite").parquet(
            str(output)
        )

    return answer


def _duckdb(scratch: Path) -> Callable[[Case, Path], None]:
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"SET temp_directory = '{scratch}'; SET preserve_insertion_order = false")

    def answer(case: Case, output: Path) -> None:
        connection.execute(
            f"COPY (SELECT r.key, r.id, r.amount, r.event_time, r.available_time, f.level "
            f"FROM read_parquet('{rows_of(case)}') r ASOF LEFT JOIN read_parquet('{facts_of(case)}') f "
            f"ON r.key = f.key AND r.event_time >= f.event_time) "
            f"TO '{output}' (FORMAT parquet, COMPRESSION snappy)"
        )

    return answer


def _group_work(order: dict[str, Any], scratch: Path) -> dict[str, Any]:
    from compute.cross import compare
    from ziggurat.model import (
        AggregateView,
        Column,
        CrossEntityView,
        Entity,
        EventTime,
        Kind,
        LandingDelay,
        Source,
        percentile_rank,
        rank,
        ratio_to_mean,
        sum_of,
    )

    log = scratch / "events"
    log.mkdir()
    spark = _session(scratch, {"spark.eventLog.enabled": "true", "spark.eventLog.dir": log.as_uri()})
    lines = Source(
        name="lines",
        kind=Kind.EVENTS,
        version=1,
        owner="benchmarks",
        columns=(Column("id", "bigint"), Column("value", "double"), Column("at", "timestamp")),
        event_time=EventTime("at"),
        available=LandingDelay("0s"),
    )
    person = Entity("person", keys=(("id", "bigint"),))
    spend = AggregateView(
        "spend",
        entity=person,
        source=lines,
        version=1,
        owner="benchmarks",
        windows=("7d",),
        features=(sum_of("value", quantum="0.01"),),
    )
    of = "value_sum_7d"
    view = CrossEntityView(
        "spend_of_all",
        entity=person,
        of=spend,
        version=1,
        owner="benchmarks",
        features=(ratio_to_mean(of), rank(of), percentile_rank(of)),
        exclude_self=True,
    )

    def answer(entities: int) -> None:
        snapshots = spark.read.parquet(str(snapshots_of(entities)))
        rows = compare(snapshots, None, view, tasks=max(1, -(-entities // FACTS_PER_TASK)))
        rows.write.mode("overwrite").parquet(str(scratch / "answer.parquet"))

    answer(100_000)
    walls, cpus = _timed(lambda: answer(order["entities"]), order["runs"])
    spark.stop()
    return {"walls": walls, "cpus": cpus, "task_mb": _most_of_a_task(log) / 1e6}


def _most_of_a_task(log: Path) -> float:
    """The largest peak execution memory that Spark's log names of any task."""
    peaks = [0.0]
    for file in (path for path in log.rglob("*") if path.is_file()):
        for line in file.read_text("utf-8").splitlines():
            if '"SparkListenerTaskEnd"' in line:
                peaks.append(json.loads(line).get("Task Metrics", {}).get("Peak Execution Memory", 0))
    return max(peaks)


def _session(scratch: Path, conf: dict[str, str]) -> Any:
    from lakehouse.session.start import SessionSettings, open_session

    return open_session(
        SessionSettings("bench-lookups", driver_memory=DRIVER_MEMORY, local_dir=scratch / "spark", extra=conf)
    )


if __name__ == "__main__":
    main()
