"""Writes a view's records in the order in which they come, then their index; memory: 28 bytes a record."""

import os
from array import array
from typing import BinaryIO

import numpy as np

from online_store.embedded.records_file import (
    ENTRIES,
    MAGIC,
    RECORD_HEAD,
    Section,
    hash_of,
    page_bytes,
    page_of,
    record_of,
)

_WANTED_ENTRIES = 35  # of 50 that a page can hold: then one in a hundred goes on in the next


class DuplicateKey(Exception):
    def __init__(self, key: bytes) -> None:
        super().__init__(key)
        self.key = key


class SectionWriter:
    """One view's part of a file that is open for writing and reading."""

    def __init__(self, file: BinaryIO) -> None:
        if not file.tell():
            file.write(MAGIC)
        self._file, self._start = file, file.tell()
        self._at = self._start
        self._hashes, self._positions, self._lengths = array("Q"), array("Q"), array("I")

    def add(self, key: bytes, value: bytes) -> None:
        record = record_of(key, value)
        self._file.write(record)
        self._hashes.append(hash_of(key))
        self._positions.append(self._at)
        self._lengths.append(len(record))
        self._at += len(record)

    def finish(self) -> Section:
        """Writes the index. Raises DuplicateKey."""
        order = np.argsort(np.array(self._hashes, "<u8"), kind="stable")
        hashes = np.array(self._hashes, "<u8")[order]
        self._refuse_duplicates(hashes, order)
        pages = max(1, -(-len(order) // _WANTED_ENTRIES))
        slots = _slots(hashes, pages)
        # A full page has a next one, so one more than the last slot needs.
        index_pages = max(pages, (int(slots[-1]) + 1) // ENTRIES + 1) if len(order) else pages
        counts = np.bincount(slots // ENTRIES, minlength=index_pages)
        entries = hashes, np.array(self._positions, "<u8")[order], np.array(self._lengths, "<u4")[order]
        columns = [_spread(column, slots, index_pages) for column in entries]
        for number in range(index_pages):
            body = b"".join(column[number].tobytes() for column in columns)
            self._file.write(page_bytes(number, int(counts[number]), body))
        return Section(self._start, self._at, pages, index_pages, len(order))

    def _refuse_duplicates(self, hashes: np.ndarray, order: np.ndarray) -> None:
        """Keys of one hash are compared themselves."""
        self._file.flush()
        for same in np.unique(hashes[1:][hashes[1:] == hashes[:-1]]):
            keys = [self._key(int(number)) for number in order[hashes == same]]
            for key in keys:
                if keys.count(key) > 1:
                    raise DuplicateKey(key)

    def _key(self, number: int) -> bytes:
        record = os.pread(self._file.fileno(), self._lengths[number], self._positions[number])
        return record[RECORD_HEAD.size : RECORD_HEAD.size + RECORD_HEAD.unpack_from(record)[0]]


def _slots(hashes: np.ndarray, pages: int) -> np.ndarray:
    """The place of each of the sorted hashes: the first free one from the beginning of its page on."""
    wanted = np.fromiter((page_of(int(hashed), pages) * ENTRIES for hashed in hashes), np.int64, len(hashes))
    rank = np.arange(len(hashes))
    return np.maximum.accumulate(wanted - rank) + rank if len(hashes) else wanted


def _spread(column: np.ndarray, slots: np.ndarray, index_pages: int) -> np.ndarray:
    spread = np.zeros(index_pages * ENTRIES, column.dtype)
    spread[slots] = column
    return spread.reshape(index_pages, ENTRIES)
