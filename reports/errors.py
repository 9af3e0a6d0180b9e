"""The one thing that can go wrong when a page is written."""

from definitions.errors import ZigguratError


class ReportNotWritten(ZigguratError):
    """The page could not be stored; it is a storage problem and leaves with that exit code."""

    exit_code = 42
