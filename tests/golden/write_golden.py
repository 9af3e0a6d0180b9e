"""Writes the golden warehouse; runs in a checkout of the version that is to write it (see README.md here).

`write_golden.py FOLDER`: makes FOLDER/golden bikes, FOLDER/warehouse.tar.xz and FOLDER/expected.json.
"""

import importlib
import json
import os
import shutil
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

FIRST, SECOND, RIDERS = "2024-06-01", "2024-06-08", ("R01", "R05", "R99")


def main(home: Path) -> None:
    os.environ["TZ"] = "UTC"
    time.tzset()
    shutil.rmtree(home, ignore_errors=True)
    small = importlib.import_module("tests.e2e.small.bikes")
    models = importlib.import_module("tests.e2e.small.bike_models")
    bikes = small.Bikes.written(home / "golden bikes")
    for file, text in (("services.py", models._SERVICES), ("labels.py", models._LABELS)):
        bikes.definition(file).write_text(text.replace("{package}", bikes.package), "utf-8")
    written(bikes, models.SERVICE, models.LABEL)
    expected = read_back(bikes, models.SERVICE, small.content_hash)
    (home / "expected.json").write_text(json.dumps(expected, indent=1, sort_keys=True, default=str), "utf-8")
    forget_machine(Path(bikes.warehouse.leases))
    with tarfile.open(home / "warehouse.tar.xz", "w:xz", preset=9) as archive:
        archive.add(bikes.folder, arcname=bikes.folder.name, filter=packed)


def written(bikes: Any, service: str, label: str) -> None:
    training_set = ("training-set", "--service", service, "--spine", label, "--out")
    run(bikes, "build", "--as-of", FIRST)
    run(bikes, "layout", "build", "rider_activity")
    bikes.deliver_june()
    run(bikes, "build", "--as-of", SECOND)
    run(bikes, "labels", label)
    run(bikes, *training_set, "again", "--split", "0.6,0.2,0.2")
    run(bikes, *training_set, "copied", "--format", "parquet")
    run(bikes, "export", "--as-of", FIRST)
    run(bikes, "export", "--as-of", SECOND)


def read_back(bikes: Any, service: str, content_hash: Any) -> dict[str, Any]:
    delta = importlib.import_module("deltalake").DeltaTable
    root, at = Path(bikes.warehouse.root), f"{SECOND}T12:00:00Z"
    tables = {}
    for log in sorted(root.rglob("_delta_log")):
        key, newest = str(log.parent.relative_to(root)), delta(log.parent).version()
        tables[key] = [content_hash(bikes.table(key, version=version)) for version in range(newest + 1)]
    runs = json_of(bikes, "runs", "list")
    return {
        "tables": tables,
        "releases": bikes.releases(),
        "runs": runs,
        "steps": {run["run"]: json_of(bikes, "runs", "show", run["run"]) for run in runs},
        "manifests": {name: json_of(bikes, "training-set", "show", name)[0] for name in ("again", "copied")},
        "online": {
            rider: json_of(bikes, "get", f"rider_id={rider}", "--service", service, "--at", at)[0] for rider in RIDERS
        },
    }


def forget_machine(leases: Path) -> None:
    """The claims are released: which process of which machine held them is of no use."""
    for claim in leases.rglob("*.json"):
        fields = json.loads(claim.read_text())
        fields["holder"] = {"host": "elsewhere", "realm": "", "pid": 1, "born": "0"}
        claim.write_text(json.dumps(fields, indent=1))


def run(bikes: Any, *words: str) -> str:
    answer = bikes.ziggurat(*words)
    if answer.code:
        raise RuntimeError(f"{words}: {answer.err}")
    return str(answer.out)


def json_of(bikes: Any, *words: str) -> list[Any]:
    return [json.loads(line) for line in run(bikes, *words, "--json").splitlines()]


def packed(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if info.name.endswith(".crc") or "__pycache__" in info.name:
        return None
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    return info


if __name__ == "__main__":
    main(Path(sys.argv[1]))
