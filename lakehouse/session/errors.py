"""What can be wrong with the machine: each error says what was found, where, and what to do."""

from definitions.errors import ZigguratError


class EnvironmentProblem(ZigguratError):
    """This machine, as it is set up now, can't run Spark and Delta together."""

    exit_code = 50


class JavaProblem(EnvironmentProblem):
    """No Java, or none of the versions that Spark 4 runs on."""

    exit_code = 51


class JarsMissing(EnvironmentProblem):
    """Delta's two jars are neither in the cache nor to be had from the repository."""

    exit_code = 52


class VersionsDoNotFit(EnvironmentProblem):
    """Spark and Delta are there, but not as a pair that runs together."""

    exit_code = 53
