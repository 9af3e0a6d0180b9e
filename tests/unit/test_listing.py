"""Which files of a folder are data; what is none, and is not left out in silence."""

import os
from pathlib import Path

import pytest

from definitions.errors import SourceError, UsageError
from lakehouse.files.listing import data_files, format_of, visible_names
from lakehouse.files.location import Location


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.csv").write_text("id\n1\n")
    return tmp_path / "in"


def names(folder: Path, **options: str) -> list[str]:
    return [file.relative for file in data_files("things", Location(str(folder), "csv", options))]


def test_links_to_files_and_folders_are_what_they_name(folder: Path) -> None:
    (folder.parent / "other").mkdir()
    (folder.parent / "other" / "b.csv").write_text("id\n2\n")
    (folder / "b.csv").symlink_to("../other/b.csv")
    (folder / "more").symlink_to("../other")
    assert names(folder) == ["a.csv", "b.csv", "more/b.csv"]


def test_a_link_to_nothing_and_a_pipe_are_refused_by_name(folder: Path) -> None:
    (folder / "z.csv").symlink_to("nowhere.csv")
    with pytest.raises(SourceError, match=r"/z\.csv is no file .* a link to nothing .*\. Remove it"):
        names(folder)
    (folder / "z.csv").unlink()
    os.mkfifo(folder / "z.csv")
    with pytest.raises(SourceError, match=r"/z\.csv is no file"):
        names(folder)
    assert names(folder, pattern="a*") == ["a.csv"]
    assert visible_names(str(folder)) == ["a.csv"]


def test_no_file_is_read_again_through_a_link_to_a_folder_above_it(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "all").symlink_to("..")
    with pytest.raises(SourceError, match=r"/sub/all is no file .* to a folder above"):
        names(folder)


def test_a_link_to_itself_and_a_name_in_another_encoding_are_refused_by_name(folder: Path) -> None:
    (folder / "z.csv").symlink_to("z.csv")
    with pytest.raises(SourceError, match=r"/z\.csv is no file"):
        names(folder)
    (folder / "z.csv").unlink()
    (Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.csv"))).write_text("id\n1\n")
    with pytest.raises(SourceError, match=r"/caf\\udce9\.csv is no file that can be read.*its name is not UTF-8"):
        names(folder)


@pytest.mark.parametrize("name", ["idna", "punycode", "undefined", "rot13", "base64", "mbcs", "nosuch"])
def test_what_is_no_encoding_of_text_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=f"encoding '{name}' is"):
        Location("rides", "csv", {"encoding": name})


def test_a_device_is_no_delivery() -> None:
    with pytest.raises(SourceError, match="/dev/zero is no file"):
        data_files("things", Location("/dev/zero", "csv"))


@pytest.mark.parametrize("name", ["a.csv~", "a.csv.md5", "a.csv.sha256", "a.csv.crc32", "a.csv.bak", "README"])
def test_copies_and_checksums_are_of_another_kind(folder: Path, name: str) -> None:
    (folder / name).write_text("id\n1\n")
    with pytest.raises(SourceError, match=f"/{name} is no csv by its name"):
        names(folder)


@pytest.mark.parametrize("options", [{"sep": '"'}, {"quote": ","}, {"sep": ";", "quote": ";"}])
def test_one_character_is_not_separator_and_quote(options: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="sep and quote are both"):
        Location("rides", "csv", options)


@pytest.mark.parametrize(
    ("format_", "named"),
    [
        ("csv", ["a.csv", "A.CSV", "in/day=1/a.csv.gz", "a.Csv.ZST"]),
        ("json", ["a.json", "a.jsonl", "a.ndjson.bz2"]),
        ("parquet", ["a.parquet", "part-0.snappy.parquet", "a.pq"]),
        ("", ["a", "a.txt", "a.tsv", "a.gz", "csv", "a.csv.bak", "README.md"]),
    ],
)
def test_the_suffix_of_a_name_says_the_format(format_: str, named: list[str]) -> None:
    assert {name: format_of(name) for name in named} == dict.fromkeys(named, format_)
