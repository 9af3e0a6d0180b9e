"""The point-in-time join on Spark Connect: a client in a process of its own, which has no Java, and a server."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lakehouse.session.java import find_java, launcher_home
from lakehouse.session.start import spark_home

PROJECT_ROOT = Path(__file__).parents[2]
SERVER = "org.apache.spark.sql.connect.service.SparkConnectServer"
SETTINGS = {
    "spark.master": "local[2]",
    "spark.driver.memory": "1g",
    "spark.driver.host": "localhost",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.sql.shuffle.partitions": "2",
    "spark.connect.grpc.binding.address": "127.0.0.1",
}


def environment(**more: str) -> dict[str, str]:
    """This process's environment, without the variables of its Spark and the packages that its Spark imports."""
    left_out = ("PYSPARK_", "SPARK_", "PYTHONPATH")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    return inherited | {"PYSPARK_PYTHON": sys.executable, **more}


def is_listening(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The address of a Spark Connect server that has neither this package nor Delta."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = SETTINGS | {
        "spark.connect.grpc.binding.port": str(port),
        "spark.sql.warehouse.dir": (tmp_path / "warehouse").as_uri(),
        "spark.local.dir": str(tmp_path / "local"),
    }
    conf = [part for name, value in settings.items() for part in ("--conf", f"{name}={value}")]
    command = [spark_home() / "bin" / "spark-submit", "--class", SERVER, *conf]
    log = tmp_path / "server.log"
    with log.open("wb") as out:
        env = environment(JAVA_HOME=str(launcher_home(find_java())), SPARK_NO_DAEMONIZE="1")
        process = subprocess.Popen(command, stdout=out, stderr=out, env=env, cwd=tmp_path)
    try:
        deadline = time.monotonic() + 60
        while not is_listening(port):
            assert process.poll() is None, log.read_text("utf-8")[-2000:]
            assert time.monotonic() < deadline, log.read_text("utf-8")[-2000:]
            time.sleep(0.2)
        yield f"sc://localhost:{port}"
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.spark
def test_every_rule_holds_on_spark_connect_and_nothing_else_is_needed(server: str) -> None:
    """The client has no Java: code that needed it would fail."""
    command = [sys.executable, "-m", "tests.spec.pit_join.on_connect", server]
    env = environment(JAVA_HOME="/nowhere", PYTHONPATH=str(PROJECT_ROOT))
    done = subprocess.run(command, env=env, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    failures = json.loads(done.stdout)
    assert not any(failures.values()), "\n".join(line for lines in failures.values() for line in lines)
    assert len(failures) == 4
