"""The only module that starts Spark; its settings are in `conf`."""

import importlib.util
import os
import sys
import sysconfig
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse.session.cache import cache_folder, placed, writable
from lakehouse.session.conf import JIT_OPTIONS, LOCAL, LOCAL_WORKERS, REQUIRED_CONF, ZONE, forks_workers_here
from lakehouse.session.errors import EnvironmentProblem, JarsMissing
from lakehouse.session.jars import DELTA, delta_jars, fitting_jars, jars_folder
from lakehouse.session.java import find_java, launcher_home

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PROJECT_ROOT = Path(__file__).parents[2]  # the checkout, the zip or site-packages: whatever we were imported from
UTC_NAMES = frozenset({"UTC", "Etc/UTC", "Z", "GMT", "+00:00"})
# Variables of platforms that provide the session themselves: Databricks, Spark Connect.
PLATFORMS = frozenset({"DATABRICKS_RUNTIME_VERSION", "SPARK_REMOTE"})


@dataclass(frozen=True)
class SessionSettings:
    """What a run may choose about its Spark; what values mean (zone, Delta, types) can't be chosen.

    `master` is taken only where we start Spark ourselves; without one it is `local[*]`. `driver_memory` is
    the heap: the whole process tree needs about 2.5 GB more (Python workers, pandas, code). Spark starts from
    `shuffle_partitions` and coalesces small ones. `local_dir` takes spills. `extra` is set last and wins.
    """

    app_name: str = "ziggurat"
    master: str | None = None
    driver_memory: str = "3g"
    shuffle_partitions: int = 4
    local_dir: Path | None = None
    extra: Mapping[str, str] = field(default_factory=dict)


def open_session(
    settings: SessionSettings = SessionSettings(), *, say: Callable[[str], None] = lambda line: None
) -> "SparkSession":
    """The session of this process: the active one as it is, else spark-submit's, else one of our own.

    A session that we found is never stopped or set; it has to be in UTC and to know Delta. `say` gets a line
    when something takes long (fetching Delta's jars, once). Raises JavaProblem, JarsMissing,
    VersionsDoNotFit, or EnvironmentProblem for a session in another zone or a Spark that does not start.
    """
    if importlib.util.find_spec("pyspark") is None:
        fitting_jars()  # says what is missing, and how to install it
    from pyspark.sql import SparkSession

    _silence_query_contexts()
    active = SparkSession.getActiveSession()
    if active is not None:
        return _found_fit(active)
    if PLATFORMS & os.environ.keys():
        return _found_fit(SparkSession.builder.getOrCreate())
    submitted = "PYSPARK_GATEWAY_PORT" in os.environ
    conf = REQUIRED_CONF | dict(settings.extra) if submitted else _own_conf(settings, say)
    session = _started(settings.app_name, conf)
    return _found_fit(session) if submitted else session


def spark_home() -> Path:
    """The folder of the Spark that will start: `SPARK_HOME`, else the one inside the pyspark package."""
    import pyspark

    return Path(os.environ.get("SPARK_HOME") or Path(pyspark.__file__).parent)


def log_file() -> Path:
    """Where Spark's own log of this user goes."""
    return cache_folder() / "logs" / "spark.log"


def _own_conf(settings: SessionSettings, say: Callable[[str], None]) -> dict[str, str]:
    java = find_java()
    jars = delta_jars(java, spark_home=spark_home(), say=say)
    os.environ["JAVA_HOME"] = str(launcher_home(java))
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # workers would take the `python3` of PATH
    _share_packages_with_workers()
    extra, master = dict(settings.extra), settings.master or "local[*]"
    all_jars = [*(jar.as_uri() for jar in jars), *filter(None, [extra.pop("spark.jars", "")])]
    conf = {
        **REQUIRED_CONF,
        **LOCAL,
        **(LOCAL_WORKERS if forks_workers_here(master) else {}),
        "spark.master": master,
        "spark.driver.memory": settings.driver_memory,
        "spark.driver.extraJavaOptions": _java_options(extra.pop("spark.driver.extraJavaOptions", "")),
        "spark.jars": ",".join(all_jars),
        # 200, the default, costs two thirds more processor time than a number sized to the data.
        "spark.sql.shuffle.partitions": str(settings.shuffle_partitions),
    }
    if settings.local_dir:
        conf["spark.local.dir"] = str(settings.local_dir)
    return conf | extra


def _share_packages_with_workers() -> None:
    """Let local Python workers import `kernels` from the checkout or zip that this process came from.

    Not from site-packages, which they see anyway: on PYTHONPATH it would come before the standard library.
    """
    if str(PROJECT_ROOT) == sysconfig.get_path("purelib"):
        return
    others = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(filter(None, [str(PROJECT_ROOT), *others])))


def _java_options(more: str) -> str:
    text = (files("lakehouse") / "log4j2.properties").read_text("utf-8")
    config = placed(cache_folder() / "log4j2.properties", text)
    writable(log_file().parent)
    options = [
        "-XX:+UseParallelGC",  # 13 % less processor time than G1 on batch work
        *JIT_OPTIONS,
        "-Duser.timezone=UTC",
        "-Djava.net.preferIPv4Stack=true",
        f'"-Dlog4j2.configurationFile={config.as_uri()}"',
        f'"-Dziggurat.log={log_file()}"',
    ]
    return " ".join([*options, more]).strip()


def _held_jars() -> str:
    held = sorted(map(str, jars_folder().glob("*.jar")))
    return ",".join(held) or "and the two jars of Delta"


def _silence_query_contexts() -> None:
    """pyspark logs 10 kB of JSON with the JVM's whole stack for each SQL error, which it raises as well."""
    from pyspark.logger import PySparkLogger

    for name in ("SQLQueryContextLogger", "DataFrameQueryContextLogger"):
        PySparkLogger.getLogger(name).setLevel("CRITICAL")


def _started(app_name: str, conf: Mapping[str, str]) -> "SparkSession":
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName(app_name)
    for key, value in conf.items():
        builder = builder.config(key, value)
    try:
        return builder.getOrCreate()
    except (PySparkException, Py4JError, OSError) as problem:
        raise EnvironmentProblem(
            f"Spark did not start ({str(problem).strip().splitlines()[0]}). Its log is {log_file()}; "
            "`ziggurat doctor` checks this machine."
        ) from problem


def _found_fit(session: "SparkSession") -> "SparkSession":
    """The session that we did not set up, if it is in UTC and knows Delta."""
    from pyspark.errors import AnalysisException

    zone = session.conf.get(ZONE)
    if zone not in UTC_NAMES:
        raise EnvironmentProblem(
            f"The session zone of this Spark is {zone}; values mean the same only in UTC. "
            f"Start it with --conf {ZONE}=UTC."
        )
    try:
        session.read.format("delta").load(os.devnull)
    except AnalysisException as problem:
        # Delta answers that this is no table of its own; a Spark without Delta, that it knows no such format.
        if not str(problem.getCondition()).startswith("DELTA_"):
            minor = ".".join(session.version.split(".")[:2])
            raise JarsMissing(
                f"This Spark {session.version} was started without Delta. Start it with "
                f"--packages io.delta:delta-spark_{minor}_2.13:{DELTA}, or with --jars {_held_jars()}."
            ) from problem
    return session
