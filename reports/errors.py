"""The error of a page that could not be written."""

from definitions.errors import ZigguratError


class ReportNotWritten(ZigguratError):
    """The page could not be stored; the exit code is that of storage problems."""

    exit_code = 42
