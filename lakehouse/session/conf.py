"""The settings with which we start Spark: what values mean, and what one machine needs on top."""

import os
import re

ZONE = "spark.sql.session.timeZone"
EXTENSION = "io.delta.sql.DeltaSparkSessionExtension"
CATALOG = "org.apache.spark.sql.delta.catalog.DeltaCatalog"

# What values mean and how tables are written, on a laptop and a cluster alike. ANSI mode stays on, as it is.
REQUIRED_CONF = {
    ZONE: "UTC",  # S2: the only zone in which a timestamp means the same everywhere
    "spark.sql.extensions": EXTENSION,
    "spark.sql.catalog.spark_catalog": CATALOG,
    # INT96, the default, reads as nanoseconds without a zone in other engines.
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    # Else `${env:…}` inside SQL text reads the environment of the process, secrets included.
    "spark.sql.variable.substitute": "false",
    "spark.sql.execution.arrow.pyspark.enabled": "true",  # frames to pandas in columns, not row by row
    # For an error's call site pyspark asks the JVM ten things about every column that is named: half of planning.
    "spark.python.sql.dataFrameDebugging.enabled": "false",
    # A commit whose answer was lost is recognised as ours, instead of being committed again.
    "spark.databricks.delta.commit.idempotencyCheck.enabled": "true",
    # Parquet's writers keep a checksum of each page, and by default its readers ignore it: a changed byte is an error.
    "spark.hadoop.parquet.page.verify-checksum.enabled": "true",
    # Java compiles no method of more than 8,000 bytes, and Spark fuses a stage into one, whatever its size: a long one
    # ran ten times slower than the same stage in its parts, as it runs beyond this limit.
    "spark.sql.codegen.hugeMethodLimit": "8000",
    # Delta's default of 50 is for logs of millions of files: 15 small commits took 56 s, with 2 they take 11.
    "spark.databricks.delta.snapshotPartitions": "2",
}

# What one machine needs on top, where the driver is the cluster.
LOCAL = {
    "spark.driver.host": "localhost",  # this machine's own name may not resolve, or not reach it
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",  # a port, 70 MB and a second at the start, for a page that is not used
    "spark.ui.showConsoleProgress": "false",  # the jobs report their own steps
    # For that page Spark keeps the plans of its last 1,000 queries and 1,000 stages: several hundred MB of a long run.
    "spark.sql.ui.retainedExecutions": "10",
    "spark.ui.retainedJobs": "10",
    "spark.ui.retainedStages": "10",
    "spark.ui.retainedTasks": "1000",
    # Delta keeps every table that it read in memory for an hour, 3 MB each, also staged ones that were removed.
    "spark.databricks.delta.delta.log.cacheSize": "40",
    # Wide numeric kernels want few large batches. Rows alone bound them, as before Spark 4.1: to bound bytes too
    # (64 MB: 4 KB a row), Spark adds up the whole batch again after every row, which is a third of what a join costs.
    "spark.sql.execution.arrow.maxRecordsPerBatch": "16384",
    "spark.sql.execution.arrow.maxBytesPerBatch": str(2**31 - 1),
    "spark.driver.maxResultSize": "1g",
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "8",  # with 10,000 a VACUUM of two folders took 25 s
    # By default 16 MB or more, which every sort of a few rows takes, and every small table that stays broadcast.
    "spark.buffer.pageSize": "2m",
    # Spark guesses what it may broadcast from the size of compressed files: 700,000 rows passed for 3 MB, under its
    # default of 10, and took a heap of 2 GB down. The product catalogue (92,000 rows, 0.6 MB) is still broadcast.
    "spark.sql.autoBroadcastJoinThreshold": "1m",
    # A run's queries are several hundred generated classes; beyond 100, the default, they are compiled again and again.
    "spark.sql.codegen.cache.maxEntries": "2000",
}

# What Python workers need that are forked on this machine: a task with nothing to do takes 15 ms instead of 130.
LOCAL_WORKERS = {
    # Not the working directory first: a user's `quality` or `kernels` there is not what a task means.
    "spark.executorEnv.PYTHONSAFEPATH": "1",
    "spark.python.daemon.module": "lakehouse.session.worker_daemon",
    "spark.python.unix.domain.socket.enabled": "true",  # over TCP each answer waits 40 ms to be acknowledged
}

# A run is minutes of ever new code: Java's optimising compiler took a quarter of its processor time, mostly for code
# that was about to end. It waits ten times as long as by default; what is hot for more than a moment still gets it.
JIT_OPTIONS = (
    "-XX:Tier4InvocationThreshold=50000",
    "-XX:Tier4MinInvocationThreshold=20000",
    "-XX:Tier4CompileThreshold=100000",
    "-XX:Tier4BackEdgeThreshold=400000",
)


def forks_workers_here(master: str) -> bool:
    """Whether Python workers are forked on this machine, where this package can be imported."""
    return os.name == "posix" and re.match(r"local(\[|$)", master) is not None
