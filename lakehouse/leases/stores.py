"""Where claims on tables are kept: a folder, or a bucket. One protocol, so that leases have one code path.

A claim is one small file `<table>/<token>.json`. Both stores promise the same single atomic act:
of any number of processes that create the same claim, exactly one succeeds.
"""

import contextlib
import errno
import os
import re
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Protocol, TypeAlias
from urllib.parse import urlsplit

S3Client: TypeAlias = Any  # boto3 creates its client classes at run time, without a static type
_CLAIM = re.compile(r"^(\d{12})\.json$")


class ClaimStore(Protocol):
    """Claims of one warehouse. Ages are by the store's own clock: the clocks of two machines are never compared."""

    def tokens(self, table: str) -> list[int]: ...
    def create(self, table: str, token: int, content: bytes) -> bool: ...
    def read(self, table: str, token: int) -> bytes | None: ...
    def rewrite(self, table: str, token: int, content: bytes) -> bool: ...
    def age_seconds(self, table: str, token: int) -> float | None: ...
    def drop(self, table: str, token: int) -> None: ...


def claim_store(folder: str) -> ClaimStore:
    """The store for a warehouse's `leases` folder: S3 by its URI, anything else as a mounted path."""
    if re.match(r"^s3[an]?://", folder):
        return BucketClaims(folder)
    return FolderClaims(Path(re.sub(r"^file:/+", "/", folder)))


class FolderClaims:
    """Claims as files. A hard link makes content and name appear together; O_EXCL where links are unknown."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __str__(self) -> str:
        return str(self._folder)

    def tokens(self, table: str) -> list[int]:
        try:
            names = [path.name for path in (self._folder / table).iterdir()]
        except FileNotFoundError:
            return []
        return sorted(int(match[1]) for match in map(_CLAIM.match, names) if match)

    def create(self, table: str, token: int, content: bytes) -> bool:
        target = self._file(table, token)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            written = self._beside(target, content)
        except FileNotFoundError:  # the last claim was dropped meanwhile, its empty folder with it
            return False
        try:
            os.link(written, target)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS):
                raise
            return _create_exclusively(target, content)
        finally:
            written.unlink()
        return True

    def read(self, table: str, token: int) -> bytes | None:
        with contextlib.suppress(FileNotFoundError):
            return self._file(table, token).read_bytes()
        return None

    def rewrite(self, table: str, token: int, content: bytes) -> bool:
        target = self._file(table, token)
        if not target.exists():
            return False
        try:
            self._beside(target, content).replace(target)
        except OSError:  # a full disk has no room for a second file, but for the same few bytes in place
            with target.open("r+b") as file:
                file.write(content)
                file.truncate()
        return True

    def age_seconds(self, table: str, token: int) -> float | None:
        target = self._file(table, token)
        try:
            then = target.stat().st_mtime
            with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".now-") as probe:
                return Path(probe.name).stat().st_mtime - then
        except FileNotFoundError:
            return None

    def drop(self, table: str, token: int) -> None:
        self._file(table, token).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # only an empty folder goes
            self._file(table, token).parent.rmdir()

    def _file(self, table: str, token: int) -> Path:
        return self._folder / table / f"{token:012d}.json"

    def _beside(self, target: Path, content: bytes) -> Path:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".claim-")
        written = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            written.chmod(0o644)
        except OSError:
            written.unlink()
            raise
        return written


def _create_exclusively(target: Path, content: bytes) -> bool:
    try:
        handle = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
    except FileExistsError:
        return False
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    return True


class BucketClaims:
    """Claims as S3 objects, made and rewritten by conditional puts (IfNoneMatch, IfMatch)."""

    def __init__(self, folder: str, client: S3Client = None) -> None:
        parts = urlsplit(folder)
        self._bucket, self._prefix = parts.netloc, folder.split("://", 1)[1].partition("/")[2]
        if client is None:
            import boto3  # only an S3 warehouse needs it

            client = boto3.client("s3")
        self._s3 = client
        self._etags: dict[str, str] = {}

    def __str__(self) -> str:
        return f"s3://{self._bucket}/{self._prefix}"

    def tokens(self, table: str) -> list[int]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=f"{self._prefix}/{table}/", Delimiter="/"
        )
        names = [item["Key"].rpartition("/")[2] for page in pages for item in page.get("Contents", ())]
        return sorted(int(match[1]) for match in map(_CLAIM.match, names) if match)

    def create(self, table: str, token: int, content: bytes) -> bool:
        return self._put(table, token, content, IfNoneMatch="*")

    def read(self, table: str, token: int) -> bytes | None:
        answer = self._call(self._s3.get_object, table, token)
        return None if answer is None else bytes(answer["Body"].read())

    def rewrite(self, table: str, token: int, content: bytes) -> bool:
        etag = self._etags.get(self._key(table, token))
        return etag is not None and self._put(table, token, content, IfMatch=etag)

    def age_seconds(self, table: str, token: int) -> float | None:
        answer = self._call(self._s3.head_object, table, token)
        if answer is None:
            return None
        date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")  # some S3 compatible stores send none
        now = parsedate_to_datetime(date) if date else datetime.now(UTC)
        return float((now - answer["LastModified"]).total_seconds())

    def drop(self, table: str, token: int) -> None:
        self._s3.delete_object(Bucket=self._bucket, Key=self._key(table, token))

    def _key(self, table: str, token: int) -> str:
        return f"{self._prefix}/{table}/{token:012d}.json"

    def _put(self, table: str, token: int, content: bytes, **condition: str) -> bool:
        answer = self._call(self._s3.put_object, table, token, Body=content, **condition)
        if answer is not None:
            self._etags[self._key(table, token)] = answer["ETag"]
        return answer is not None

    def _call(
        self, call: Callable[..., dict[str, Any]], table: str, token: int, **more: str | bytes
    ) -> dict[str, Any] | None:
        """The answer, or None when the object is not there or the condition did not hold."""
        try:
            return call(Bucket=self._bucket, Key=self._key(table, token), **more)
        except self._s3.exceptions.ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] in (404, 409, 412):
                if error.response["Error"].get("Code") == "NoSuchBucket":
                    raise
                return None
            raise
