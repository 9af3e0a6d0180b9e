"""Spark's own Ivy, in a process of its own: quiet, timed, without memory of a failed try, one jar per name.

It looks only in the repository: not in `~/.m2`, where a pom without its jar fails the whole resolution.
"""

import os
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.sax.saxutils import quoteattr

from lakehouse.session.java import Java
from lakehouse.session.truststore import PASSWORD, python_truststore

PATIENCE_S = 300  # for 9.6 MB on a slow line; without any network Ivy gives up in seconds


def retrieve(coordinates: Iterable[str], folder: Path, *, java: Java, spark_home: Path) -> str:
    """Bring these jars, without what they depend on, into the folder as `artifact-version.jar`.

    Returns Ivy's reason when something did not come; the caller looks at the files. Ivy keeps its records in
    the same folder, which should be a temporary one: in them it also remembers what failed.
    """
    (folder / "settings.xml").write_text(_settings(), "utf-8")
    (folder / "ivy.xml").write_text(_module(coordinates), "utf-8")
    output = _run(folder, java=java, spark_home=spark_home)
    if "PKIX" in output:  # Java does not know the authority that signed: perhaps Python does
        truststore = python_truststore(folder / "trust.jks")
        options = [f"-Djavax.net.ssl.trustStore={truststore}", f"-Djavax.net.ssl.trustStorePassword={PASSWORD}"]
        output = _run(folder, java=java, spark_home=spark_home, options=options) if truststore else output
    return _reason(output)


def _run(folder: Path, *, java: Java, spark_home: Path, options: Sequence[str] = ()) -> str:
    classes = [*spark_home.glob("jars/ivy-*.jar"), *spark_home.glob("jars/commons-cli-*.jar")]
    command = [str(java.home / "bin" / "java"), *options, "-cp", os.pathsep.join(map(str, classes))]
    command += ["org.apache.ivy.Main", "-settings", "settings.xml", "-ivy", "ivy.xml", "-cache", "ivy"]
    # Relative names, run inside the folder: brackets in a path are tokens of Ivy's pattern.
    command += ["-retrieve", "[artifact]-[revision].[ext]", "-warn"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        return f"Server access error: no answer in {PATIENCE_S} s"
    return done.stdout + done.stderr


def _settings() -> str:
    # Spark's own variable for a mirror; without it Ivy's default repository is Maven Central.
    mirror = os.environ.get("DEFAULT_ARTIFACT_REPOSITORY")
    root = f"root={quoteattr(mirror)}" if mirror else ""
    return f"""<ivysettings>
  <timeout-constraints>
    <timeout-constraint name="short" connectionTimeout="5000" readTimeout="10000"/>
  </timeout-constraints>
  <settings defaultResolver="repository"/>
  <resolvers>
    <ibiblio name="repository" m2compatible="true" {root} timeoutConstraint="short"/>
  </resolvers>
</ivysettings>
"""


def _module(coordinates: Iterable[str]) -> str:
    wanted = "\n".join(
        f'    <dependency org="{group}" name="{artifact}" rev="{version}" transitive="false" conf="default->master"/>'
        for group, artifact, version in (coordinate.split(":") for coordinate in coordinates)
    )
    return f"""<ivy-module version="2.0">
  <info organisation="ziggurat" module="jars"/>
  <configurations><conf name="default"/></configurations>
  <dependencies>
{wanted}
  </dependencies>
</ivy-module>
"""


def _reason(output: str) -> str:
    """The line of Ivy's report that says why: a refused certificate, an unknown host, a time-out."""
    lines = [line.strip() for line in output.splitlines()]
    for sign in ("Server access", "Host ", "Exception", "not found"):
        matching = [line for line in lines if sign in line]
        if matching:
            return matching[0]
    return "the repository did not have them"
