"""Can this machine run the jobs? One check per thing that has stopped a run before; none of them starts Spark."""

import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lakehouse.session.cache import cache_folder, writable
from lakehouse.session.conf import ZONE
from lakehouse.session.errors import EnvironmentProblem
from lakehouse.session.jars import fitting_jars, installed, is_sound, jars_folder
from lakehouse.session.java import find_java
from lakehouse.session.start import PROJECT_ROOT, UTC_NAMES, spark_home

PACKAGES = (
    "compute",
    "conf",
    "definitions",
    "features",
    "jobs",
    "kernels",
    "lakehouse",
    "online_store",
    "pit_join",
    "quality",
    "reports",
    "temporal",
    "ziggurat",
)
ROOM_NEEDED_GB = 5  # the demo: data, tables, staging and Spark's spills


@dataclass(frozen=True)
class Check:
    """The result of one check. `ok` None: works, with a remark. `fix` is empty where `found` contains it."""

    name: str
    ok: bool | None
    found: str
    fix: str = ""


def checks(warehouse: Path = Path(), *, zone: str | None = None) -> tuple[Check, ...]:
    """Every check of this machine, in the order in which things would fail.

    `warehouse` is where tables will be written (free space), `zone` the session zone that the configuration
    sets, if it does.
    """
    return (
        _python(),
        _system(),
        _answered("Java", lambda: str(find_java())),
        _answered("Spark and Delta", _pair),
        _answered("cache", lambda: f"{writable(cache_folder())} can be written"),
        _jars(),
        _disk(warehouse),
        _zone(zone),
        *_shadowed(),
        *_shadowing(),
    )


def _python() -> Check:
    fits = sys.version_info >= (3, 11)
    found = f"Python {platform.python_version()} in {sys.executable}"
    return Check("Python", fits, found, "" if fits else "Use Python 3.11 or newer.")


def _system() -> Check:
    fits = os.name == "posix"
    fix = "" if fits else "On Windows, use WSL 2 or a dev container."
    return Check("system", fits, platform.platform(), fix)


def _answered(name: str, look: Callable[[], str]) -> Check:
    """The check whose error, if it raises one, already says what was found and the fix."""
    try:
        return Check(name, True, look())
    except EnvironmentProblem as problem:
        return Check(name, False, str(problem))


def _pair() -> str:
    fitting_jars()
    return f"pyspark {installed('pyspark')} in {spark_home()}, delta-spark {installed('delta-spark')}"


def _jars() -> Check:
    try:
        jars = fitting_jars()
    except EnvironmentProblem:
        return Check("Delta's jars", None, "not looked for: no known pair of Spark and Delta")
    missing = [jar.file for jar in jars if not is_sound(jars_folder() / jar.file, jar)]
    if not missing:
        return Check("Delta's jars", True, f"both in {jars_folder()}")
    fix = "The first start fetches them (9.6 MB); without network, put them there by hand."
    return Check("Delta's jars", None, f"{' and '.join(missing)} not in {jars_folder()} yet", fix)


def _disk(folder: Path) -> Check:
    path = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    free_gb = shutil.disk_usage(path).free / 1e9
    fits = free_gb >= ROOM_NEEDED_GB
    fix = "" if fits else f"Free some space, or set the warehouse to a disk with {ROOM_NEEDED_GB} GB."
    return Check("disk", fits, f"{free_gb:.0f} GB free at {path}", fix)


def _zone(configured: str | None) -> Check:
    zone = configured or _submitted_zone()
    if zone is None or zone in UTC_NAMES:
        return Check("session zone", True, zone or "not set; our session sets UTC")
    fix = f"Set {ZONE}=UTC: values mean the same only in UTC."
    return Check("session zone", False, f"{zone} is set", fix)


def _submitted_zone() -> str | None:
    """The zone in Spark's own default settings, if they set one."""
    if importlib.util.find_spec("pyspark") is None:
        return None
    folder = Path(os.environ.get("SPARK_CONF_DIR") or spark_home() / "conf")
    try:
        lines = (folder / "spark-defaults.conf").read_text("utf-8").splitlines()
    except OSError:
        return None
    set_to = [line.replace("=", " ", 1).split()[1] for line in lines if line.strip().startswith(ZONE)]
    return set_to[-1] if set_to else None


def _shadowed() -> Iterator[Check]:
    """Our packages have plain names: another one earlier on the path would be taken.

    Not so `features`, where a project's own definitions are meant to be taken.
    """
    wrong: dict[str, Path | str] = {}
    for name in (name for name in PACKAGES if name != "features"):
        spec = importlib.util.find_spec(name)
        path = Path(spec.origin).parent if spec and spec.origin else None
        if path is None or path.parent != PROJECT_ROOT:
            wrong[name] = path or "nowhere"
    if not wrong:
        yield Check("package names", True, f"Ziggurat's packages come from {PROJECT_ROOT}")
    for name, other in wrong.items():
        fix = f"Uninstall or rename it, or put {PROJECT_ROOT} first on PYTHONPATH."
        yield Check("package names", False, f"`{name}` comes from {other}", fix)


def _shadowing() -> Iterator[Check]:
    """A file in jobs/ named like a package hides that package when a job is started as a script."""
    taken = {*PACKAGES, *sys.stdlib_module_names}
    for file in sorted((PROJECT_ROOT / "jobs").glob("*.py")):
        if file.stem in taken:
            fix = f"Rename it: started as a script from jobs/, it hides `{file.stem}`."
            yield Check("package names", False, f"{file} is named like a package", fix)
