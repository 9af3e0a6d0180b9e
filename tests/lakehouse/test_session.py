"""The session that jobs get: what it says, what values mean in it, and what happens where it can't start."""

import datetime
import http.server
import ipaddress
import json
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lakehouse.session.errors import JarsMissing
from lakehouse.session.jars import delta_jars, fitting_jars
from lakehouse.session.java import find_java
from lakehouse.session.start import open_session, spark_home

PROJECT_ROOT = Path(__file__).parents[2]
POM = (
    "<project><modelVersion>4.0.0</modelVersion><groupId>io.delta</groupId>"
    "<artifactId>{artifact}</artifactId><version>{version}</version></project>"
)


def fetched(cache: Path, monkeypatch: pytest.MonkeyPatch, repository: str) -> tuple[Path, ...]:
    monkeypatch.setenv("ZIGGURAT_CACHE", str(cache))
    monkeypatch.setenv("DEFAULT_ARTIFACT_REPOSITORY", repository)
    return delta_jars(find_java(), spark_home=spark_home(), say=lambda line: None)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Requests are not part of what a test says."""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder laid out like a Maven repository that has Delta's jars."""
    folder = tmp_path_factory.mktemp("repository")
    paths = delta_jars(find_java(), spark_home=spark_home(), say=lambda line: None)
    for jar, path in zip(fitting_jars(), paths, strict=True):
        repository = folder / "io" / "delta" / jar.artifact / jar.version
        repository.mkdir(parents=True)
        (repository / jar.file).symlink_to(path)
        (repository / jar.file).with_suffix(".pom").write_text(POM.format(artifact=jar.artifact, version=jar.version))
    return folder


@pytest.fixture
def server(repository: Path) -> Iterator[http.server.ThreadingHTTPServer]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(repository))) as web:
        thread = threading.Thread(target=web.serve_forever)
        thread.start()
        yield web
        web.shutdown()
        thread.join()


def certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that signed itself, and its key, as a company's proxy might show."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "A Company")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.IPv4Address("127.0.0.1"))])
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    built = built.serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    built = built.add_extension(address, critical=False)
    built = built.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    path = folder / "company.pem"
    path.write_bytes(
        built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


@pytest.mark.spark
def test_without_jars_and_network_the_error_names_them_and_the_next_run_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: http.server.ThreadingHTTPServer
) -> None:
    cache = tmp_path / "a cache [1]"
    with pytest.raises(JarsMissing, match=r"io\.delta:delta-storage:4\.4\.0 there by hand") as raised:
        fetched(cache, monkeypatch, "http://127.0.0.1:9/")
    assert raised.value.exit_code == 52
    assert str(cache / "jars") in str(raised.value)
    assert not list((cache / "jars").iterdir())
    paths = fetched(cache, monkeypatch, f"http://127.0.0.1:{server.server_port}/")
    assert sorted(paths) == sorted((cache / "jars").iterdir())


def test_jars_in_the_cache_need_no_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repository: Path
) -> None:
    folder = tmp_path / "cache" / "jars"
    folder.mkdir(parents=True)
    for jar in repository.rglob("*.jar"):
        (folder / jar.name).symlink_to(jar)
    assert len(fetched(tmp_path / "cache", monkeypatch, "http://127.0.0.1:9/")) == 2


@pytest.mark.spark
def test_a_repository_signed_by_an_authority_that_only_python_knows_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: http.server.ThreadingHTTPServer
) -> None:
    pem = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    paths = fetched(tmp_path / "cache", monkeypatch, f"https://127.0.0.1:{server.server_port}/")
    assert all(path.is_file() for path in paths)


@pytest.mark.spark
def test_a_start_and_a_failing_query_print_not_one_line_of_sparks(tmp_path: Path) -> None:
    code = """
import json
from lakehouse.session.start import SessionSettings, open_session
from pyspark.errors import AnalysisException
spark = open_session(SessionSettings(master="local[1]", driver_memory="1g"))
try:
    spark.sql("select nothing from range(1)")
except AnalysisException:
    pass
print(json.dumps([spark.conf.get("spark.sql.session.timeZone"), spark.sql("select 1").count()]))
"""
    inherited = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=inherited | {"PYTHONPATH": str(PROJECT_ROOT), "TZ": "America/New_York"},
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert json.loads(run.stdout) == ["UTC", 1]


def test_the_running_session_is_taken_as_it_is(spark) -> None:
    assert open_session() is spark


def test_timestamps_are_written_as_whole_microseconds_in_utc(spark, tmp_warehouse: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = str(tmp_warehouse / "instants")
    spark.sql("select timestamp'2017-11-30T00:00:00Z' as event_time").coalesce(1).write.parquet(path)
    assert pq.read_table(path).schema.field("event_time").type == pa.timestamp("us", tz="UTC")


def test_a_python_worker_goes_through_no_archive_and_no_old_object_before_its_task(spark) -> None:
    def answers(batches):
        import gc
        import sys
        import zipimport

        import pyarrow as pa

        for _ in batches:
            archives = sum(type(finder) is zipimport.zipimporter for finder in sys.path_importer_cache.values())
            yield pa.RecordBatch.from_pydict({"archives": [archives], "is_frozen": [gc.get_freeze_count() > 10_000]})

    rows = spark.range(2, numPartitions=2).mapInArrow(answers, "archives long, is_frozen boolean").collect()
    assert [(row.archives, row.is_frozen) for row in rows] == [(0, True)] * 2


def test_ansi_mode_stays_on(spark) -> None:
    assert spark.conf.get("spark.sql.ansi.enabled") == "true"


def test_workers_import_our_packages_from_where_the_driver_does(spark) -> None:
    import pyarrow as pa

    import kernels

    def locations(batches):
        import kernels

        for batch in batches:
            yield pa.RecordBatch.from_pydict({"place": [kernels.__file__] * batch.num_rows})

    found = spark.range(2).mapInArrow(locations, "place string").distinct().collect()
    assert [row.place for row in found] == [kernels.__file__]


def test_a_delta_table_is_written_to_a_path_with_a_space(spark, tmp_warehouse: Path) -> None:
    path = str(tmp_warehouse / "t")
    spark.range(3).write.format("delta").save(path)
    assert spark.read.format("delta").load(path).count() == 3
