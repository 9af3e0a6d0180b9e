"""The file of a snapshot's records: every byte that a look-up reads has a checksum, and none is mapped into memory.

records.bin   MAGIC, then for each view its records, then the pages of its index
record        4 bytes length of the key, 4 bytes length of the value, the key, the value, 4 bytes checksum of all that
page          1,008 bytes: the mark `ZP`, 2 bytes number of entries, 4 bytes checksum of the page's number and content,
              then 50 hashes (8 bytes), 50 positions of records in the file (8 bytes), 50 lengths of records (4 bytes)

Numbers are little-endian, checksums CRC-32, which finds every change within four neighbouring bytes and misses one of
4 billion others. A key's hash is its BLAKE2b of 8 bytes. It names the page of the key's entry; a full page goes on in
the next one. So a page that is whole also shows that a key is not there.
"""

import hashlib
import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

MAGIC = b"ZIGREC2\n"
ENTRIES = 50
RECORD_HEAD, CHECKSUM = struct.Struct("<II"), struct.Struct("<I")
PAGE_HEAD, PAGE_BODY = struct.Struct("<2sHI"), struct.Struct(f"<{ENTRIES}Q{ENTRIES}Q{ENTRIES}I")
PAGE_BYTES, PAGE_MARK = PAGE_HEAD.size + PAGE_BODY.size, b"ZP"
RECORD_OVERHEAD = RECORD_HEAD.size + CHECKSUM.size
_AT_ONCE = 2**20
_PAGE_NUMBER = struct.Struct("<QH")


class Damage(Exception):
    """What is wrong with a file, in words; the reader of the snapshot adds which file, and what to do."""


@dataclass(frozen=True)
class Section:
    """Where one view lies: its records from `start` to `index`, then its index. pages: what a hash is spread over."""

    start: int
    index: int
    pages: int
    index_pages: int
    records: int

    def to_fields(self) -> dict[str, int]:
        return asdict(self)

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Self:
        return cls(**{name: fields[name] for name in cls.__dataclass_fields__})


def record_of(key: bytes, value: bytes) -> bytes:
    content = RECORD_HEAD.pack(len(key), len(value)) + key + value
    return content + CHECKSUM.pack(zlib.crc32(content))


def hash_of(key: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "little")


def page_of(hashed: int, pages: int) -> int:
    return ((hashed >> 32) * pages) >> 32


def page_bytes(number: int, count: int, body: bytes) -> bytes:
    return PAGE_HEAD.pack(PAGE_MARK, count, _page_checksum(number, count, body)) + body


def _page_checksum(number: int, count: int, body: bytes) -> int:
    return zlib.crc32(body, zlib.crc32(_PAGE_NUMBER.pack(number, count)))


class RecordsFile:
    """Open for reading; threads and forked processes may share it, and it stays readable when it is deleted."""

    def __init__(self, path: Path, sections: Mapping[str, Section]) -> None:
        """Raises Damage for another kind of file, OSError for a missing one."""
        self._sections = sections
        self._descriptor = os.open(path, os.O_RDONLY)
        try:
            if self._read(0, len(MAGIC)) != MAGIC:
                raise Damage("it does not begin as a file of records does")
        except BaseException:
            self.close()
            raise

    def get(self, table: str, key: bytes) -> bytes | None:
        """The value, None for a key that is not there. Two reads, whatever the number of records."""
        section, hashed = self._sections[table], hash_of(key)
        number = page_of(hashed, section.pages)
        while True:
            count, body = self._page(section, number)
            if hashed in body[:count]:
                for n in (n for n in range(count) if body[n] == hashed):
                    found, value = self._record(section, body[ENTRIES + n], body[2 * ENTRIES + n])
                    if found == key:
                        return value
            if count < ENTRIES:
                return None
            number += 1

    def pairs(self, table: str) -> Iterator[tuple[bytes, bytes]]:
        """All keys and values of a view, in the order in which they were written."""
        section, at, count = self._sections[table], self._sections[table].start, 0
        while at < section.index:
            block, used = self._read(at, min(_AT_ONCE, section.index - at)), 0
            while (length := _length(block, used)) and used + length <= len(block):
                yield _checked(block[used : used + length])
                used, count = used + length, count + 1
            if not used:  # a record that is larger than a block
                yield self._record(section, at, length or section.index - at)
                used, count = length, count + 1
            at += used
        if count != section.records:
            raise Damage(f"found {count:,} of {section.records:,} records")

    def check_index(self, table: str) -> None:
        """Reads every page of the index. Raises Damage unless it has an entry for each record."""
        section = self._sections[table]
        entries = sum(self._page(section, number)[0] for number in range(section.index_pages))
        if entries != section.records:
            raise Damage(f"the index has {entries:,} entries for {section.records:,} records")

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _page(self, section: Section, number: int) -> tuple[int, tuple[int, ...]]:
        if not 0 <= number < section.index_pages:
            raise Damage("its index ends too early")
        content = self._read(section.index + number * PAGE_BYTES, PAGE_BYTES)
        mark, count, checksum = PAGE_HEAD.unpack_from(content)
        body = content[PAGE_HEAD.size :]
        if mark != PAGE_MARK or count > ENTRIES or checksum != _page_checksum(number, count, body):
            raise Damage("a page of its index is not what an export wrote")
        return count, PAGE_BODY.unpack(body)

    def _record(self, section: Section, at: int, length: int) -> tuple[bytes, bytes]:
        if not section.start <= at <= at + length <= section.index:
            raise Damage("a record lies outside of its view")
        return _checked(self._read(at, length))

    def _read(self, at: int, length: int) -> bytes:
        parts, missing = [], length
        while missing:
            try:
                part = os.pread(self._descriptor, missing, at + length - missing)
            except OSError as failure:
                raise Damage(f"it can't be read ({failure.strerror})") from failure
            if not part:
                raise Damage("it ends too early")
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)


def _length(block: bytes, at: int) -> int:
    """Of the record that begins there, 0 where the block ends before that is known."""
    if at + RECORD_HEAD.size > len(block):
        return 0
    key_bytes, value_bytes = RECORD_HEAD.unpack_from(block, at)
    return int(key_bytes) + int(value_bytes) + RECORD_OVERHEAD


def _checked(record: bytes) -> tuple[bytes, bytes]:
    content, checksum = record[: -CHECKSUM.size], record[-CHECKSUM.size :]
    if _length(record, 0) != len(record) or CHECKSUM.pack(zlib.crc32(content)) != checksum:
        raise Damage("a record is not what an export wrote")
    value_at = RECORD_HEAD.size + int(RECORD_HEAD.unpack_from(record)[0])
    return content[RECORD_HEAD.size : value_at], content[value_at:]
