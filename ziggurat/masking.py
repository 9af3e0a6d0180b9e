"""What of a setting may be shown. A secret can have any name, so only what is known to be harmless is shown."""

import re

MASK = "••••"
_HARMLESS = re.compile(
    r"""
    definitions | warehouse | build\.\w+ | online\.(store|path)
    | spark\.(master|driver_memory|shuffle_partitions|local_dir)
    | sources\.[^.]+\.(path|format)
    | sources\.[^.]+\.options\.(empty|encoding|header|pattern|quote|sep)
    | spark\.conf\.spark\.(
        app\.name|cores\.max|default\.parallelism|jars\.(excludes|ivy|packages)|local\.dir|master|serializer
        |driver\.(bindAddress|cores|host|maxResultSize|memory|memoryOverhead)
        |dynamicAllocation\.(enabled|maxExecutors|minExecutors)
        |executor\.(cores|instances|memory|memoryOverhead)
        |memory\.(fraction|offHeap\.enabled|offHeap\.size)|python\.worker\.memory|shuffle\.compress
        |sql\.(adaptive\.enabled|ansi\.enabled|autoBroadcastJoinThreshold|catalog\.spark_catalog|extensions)
        |sql\.execution\.arrow\.(maxBytesPerBatch|maxRecordsPerBatch)
        |sql\.(files\.maxPartitionBytes|session\.timeZone|shuffle\.partitions|warehouse\.dir)
        |submit\.deployMode|task\.cpus|ui\.enabled|databricks\.delta\.snapshotPartitions
    )
    """,
    re.VERBOSE | re.IGNORECASE,
)
# In an address: a user with a password, and a query, which may hold a signature.
_PASSWORD, _QUERY = re.compile(r"(?<=://)[^/@\s:]*:[^/@\s]*(?=@)"), re.compile(r"(?<=\?)\S+")


def shown(key: str, value: object) -> str:
    """The value of a setting as people and logs may see it: `••••` unless its name is known to be harmless."""
    if value in ("", None, {}, [], ()) or isinstance(value, bool):
        return str(value)
    if not _HARMLESS.fullmatch(key):
        return MASK
    text = str(value)
    return _QUERY.sub(MASK, _PASSWORD.sub(MASK, text)) if "://" in text else text
