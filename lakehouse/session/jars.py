"""Delta's two jars: which ones go with the Spark that is installed; fetched once, then used from the cache.

`spark.jars.packages` would bring 36 jars (87 MB), resolve them again at every start, print its report on the
terminal, and without network leave no more than a JVM that "exited". `lakehouse.session.ivy` brings these two alone.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from lakehouse.session.cache import cache_folder, writable
from lakehouse.session.errors import JarsMissing, VersionsDoNotFit
from lakehouse.session.ivy import retrieve
from lakehouse.session.java import Java

# The wheel 4.4.1 exists, its jar does not: the pair is pinned, and checked at every start.
DELTA = "4.4.0"
INSTALL = f'python -m pip install "pyspark>=4.0.1,<4.2" "delta-spark=={DELTA}"'


@dataclass(frozen=True)
class Jar:
    """One jar by its coordinates, and the SHA-256 of its bytes."""

    artifact: str
    version: str
    digest: str

    @property
    def coordinates(self) -> str:
        return f"io.delta:{self.artifact}:{self.version}"

    @property
    def file(self) -> str:
        return f"{self.artifact}-{self.version}.jar"


_FOR_4_0 = "49e899667168b9412f83cbe894ce264107d7b896d6c5e12edca4e216845c1104"
_FOR_4_1 = "75a9400986853c061f5109f012547de2545a5759e5e752e5ef633dabe16a4f10"
_STORAGE = Jar("delta-storage", DELTA, "c46735481fa8e326b0957be02b4420cbcab4b325bb08009b7f2045a95133f1cc")
# Spark's minor version -> the jars of Delta that were built for it.
JARS = {
    "4.0": (Jar("delta-spark_4.0_2.13", DELTA, _FOR_4_0), _STORAGE),
    "4.1": (Jar("delta-spark_4.1_2.13", DELTA, _FOR_4_1), _STORAGE),
}


def installed(package: str) -> str | None:
    """The version of an installed distribution, or None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def fitting_jars() -> tuple[Jar, ...]:
    """The jars for the installed pyspark and delta-spark. Raises VersionsDoNotFit if those are no pair."""
    return jars_for(installed("pyspark"), installed("delta-spark"))


def jars_for(spark: str | None, delta: str | None) -> tuple[Jar, ...]:
    """The jars for these versions (None: not installed). Raises VersionsDoNotFit if they are no pair."""
    jars = JARS.get(".".join((spark or "").split(".")[:2]))
    if jars and delta == DELTA:
        return jars
    pairs = " or ".join(f"{minor}.x" for minor in JARS)
    raise VersionsDoNotFit(
        f"Found pyspark {spark or '(none)'} and delta-spark {delta or '(none)'} in this Python; "
        f"what runs together is pyspark {pairs} with delta-spark {DELTA}. Run: {INSTALL}"
    )


def jars_folder() -> Path:
    """Where the jars are kept; a jar put here by hand is taken like a fetched one."""
    return cache_folder() / "jars"


def is_sound(path: Path, jar: Jar) -> bool:
    """Whether the file is there with exactly the published bytes (10 ms)."""
    return path.is_file() and sha256(path.read_bytes()).hexdigest() == jar.digest


def delta_jars(java: Java, *, spark_home: Path, say: Callable[[str], None]) -> tuple[Path, ...]:
    """The paths of Delta's jars, fetched if the cache lacks them. Raises JarsMissing, VersionsDoNotFit.

    Needs no network when they are there; without both, the error comes in seconds.
    """
    jars = fitting_jars()
    folder = jars_folder()
    missing = [jar for jar in jars if not is_sound(folder / jar.file, jar)]
    if missing:
        say(f"fetching Delta's jars once (9.6 MB) into {folder}")
        _fetch(missing, writable(folder), java=java, spark_home=spark_home)
    return tuple(folder / jar.file for jar in jars)


def _fetch(jars: list[Jar], folder: Path, *, java: Java, spark_home: Path) -> None:
    coordinates = [jar.coordinates for jar in jars]
    with tempfile.TemporaryDirectory(dir=folder, prefix="fetching-") as name:
        draft = Path(name)
        problem = retrieve(coordinates, draft, java=java, spark_home=spark_home)
        if not all(is_sound(draft / jar.file, jar) for jar in jars):
            raise JarsMissing(
                f"Delta's jars are not in {folder} and could not be fetched ({problem}). "
                f"Run again with network, or put {' and '.join(coordinates)} there by hand, "
                f"named {' and '.join(jar.file for jar in jars)}."
            )
        for jar in jars:
            (draft / jar.file).replace(folder / jar.file)
