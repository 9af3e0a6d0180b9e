"""`ziggurat doctor`: it finds a project's definitions where every command does, and shows no secret."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commands import run
from ziggurat.cli.starter_project import write_starter
from ziggurat.masking import shown

ROOT = Path(__file__).parents[2]
SECRETS = """
definitions: bikes_features
warehouse: "https://writer:SECRET-1@example.org/warehouse?sig=SECRET-2"
sources:
  rides: {path: data/rides, format: csv, options: {header: "true"}}
  riders: {path: "https://x:SECRET-4@example.org/riders.csv", format: csv}
spark:
  conf:
    fs.azure.account.key.mine.dfs.core.windows.net: SECRET-6
    spark.hadoop.fs.s3a.access.key: SECRET-7
    spark.hadoop.google.cloud.auth.service.account.json.keyfile: SECRET-8
    spark.driver.extraJavaOptions: -Dx=SECRET-9
    spark.sql.shuffle.partitions: "7"
"""


@pytest.fixture
def bikes(tmp_path: Path) -> Path:
    write_starter(tmp_path / "bikes")
    return tmp_path / "bikes"


def test_only_what_is_known_to_be_harmless_is_shown(bikes: Path) -> None:
    (bikes / "secret.yaml").write_text(SECRETS)
    said = run(bikes, "doctor", "--conf", "secret.yaml")
    assert "SECRET" not in said.out + said.err
    settings = said.out.partition("what set each of them")[2].splitlines()
    lines = {name: rest.strip() for name, _, rest in (line.strip().partition(" ") for line in settings)}
    assert lines["definitions"].startswith("bikes_features ")
    assert lines["warehouse"].startswith("https://••••@example.org/warehouse?•••• ")
    assert lines["sources.riders.path"].startswith("https://••••@example.org/riders.csv ")
    assert lines["sources.rides.options.header"].startswith("true ")
    assert lines["spark.conf.spark.sql.shuffle.partitions"].startswith("7 ")
    assert sum(line.startswith("•••• ") for line in lines.values()) == 4


@pytest.mark.parametrize(
    "words",
    [
        ("-s", "spark.conf={k: [SECRET]}"),
        ("-s", "sources.rides.options={k: [SECRET]}"),
        ("-s", "spark.conf.key=[SECRET"),
        ("-s", "spark.conf.password=SECRET"),
        ("-s", "sources.rides.options.credentials=SECRET"),
        ("-s", "sources.rides.format=https://me:SECRET@example.org?SECRET"),
    ],
)
def test_an_error_about_a_setting_shows_no_secret(bikes: Path, words: tuple[str, ...]) -> None:
    said = run(bikes, "list", "--conf", "conf.yaml", *words)
    assert "SECRET" not in said.out + said.err
    assert said.code in (0, 60)


@pytest.mark.parametrize(
    ("key", "value", "as_shown"),
    [
        ("build.workers", 3, "3"),
        ("spark.conf.x", "", ""),
        ("spark.conf", {}, "{}"),
        ("spark.conf.spark.sql.catalog.x.uri", "u", "••••"),
        ("sources.a.options.sep", ";", ";"),
        ("sources.a.path", "abfss://box@account.dfs.core.windows.net/a", "abfss://box@account.dfs.core.windows.net/a"),
        ("online.path", "s3://k:s@b/x", "s3://••••@b/x"),
        ("any.thing", "x", "••••"),
    ],
)
def test_a_value_is_masked_by_default(key: str, value: object, as_shown: str) -> None:
    assert shown(key, value) == as_shown


def test_a_file_of_settings_that_is_not_text_is_one_sentence(bikes: Path) -> None:
    for content, where in ((b"a: 1\n\x96\x00", "line 2: byte 0x96"), (b"\xff\xfea\x00", "line 1: byte 0xff")):
        (bikes / "other.yaml").write_bytes(content)
        said = run(bikes, "list", "--conf", "other.yaml")
        assert (said.code, said.sentence.count("\n")) == (60, 0)
        assert f"other.yaml, {where}" in said.sentence
    (bikes / "bom.yaml").write_bytes(b"\xef\xbb\xbf" + (bikes / "conf.yaml").read_bytes())
    assert run(bikes, "list", "--conf", "bom.yaml").code == 0


@pytest.mark.parametrize("start", [["-m", "ziggurat"], ["-c", "from ziggurat.cli.main import main; main()"]])
def test_definitions_of_any_name_are_found_in_the_folder_of_the_command(bikes: Path, start: list[str]) -> None:
    """Also those called `features`, as the shipped ones are."""
    (bikes / "bikes_features").rename(bikes / "features")
    for file in [bikes / "conf.yaml", *bikes.rglob("*.py")]:
        file.write_text(file.read_text().replace("bikes_features", "features"))
    done = subprocess.run(
        [sys.executable, *start, "doctor", "--conf", "conf.yaml"], cwd=bikes, env={"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "✓ definitions        'features' declares 5 sources and views" in done.stdout + done.stderr
    assert "✓ package names" in done.stdout + done.stderr
