"""What can go wrong with an online store; the exit codes stand in `definitions/errors.py`."""

from definitions.errors import ZigguratError


class OnlineStoreError(ZigguratError):
    """The store can't be written, or what was to be exported is not what was declared."""

    exit_code = 70


class NothingExported(OnlineStoreError):
    exit_code = 71


class StoreLocked(OnlineStoreError):
    exit_code = 72


class StoreDamaged(OnlineStoreError):
    exit_code = 73


class StoreOfAnotherVersion(OnlineStoreError):
    exit_code = 74

    def __init__(self, message: str, *, is_newer: bool) -> None:
        super().__init__(message)
        self.is_newer = is_newer
