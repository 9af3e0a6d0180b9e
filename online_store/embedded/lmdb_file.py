"""LMDB files, which format 1 kept its records in, read page by page in Python.

The library maps a file into memory and believes it: a damaged page ends the process. Here every number is checked
before it is followed, so that damage is an error. The layout is LMDB's own (data version 1, 64 bits, little-endian).
"""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from online_store.embedded.records_file import Damage

_MAGIC, _VERSION = 0xBEEFC0DE, 1
_PAGE, _NODE = struct.Struct("<QHHHH"), struct.Struct("<HHHH")
_META = struct.Struct("<IIQQ")
_TREE = struct.Struct("<IHHQQQQQ")
_BRANCH, _LEAF = 0x01, 0x02
_ON_OTHER_PAGES, _SUBTREE = 0x01, 0x02
_NO_PAGE = 2**64 - 1
_DEEPEST = 32
_TREES_AT = _PAGE.size + _META.size
_NOT_WRITTEN = "a page is not what an export wrote"


@dataclass(frozen=True)
class Tree:
    root: int
    depth: int
    entries: int


@dataclass(frozen=True)
class _Node:
    key: bytes
    flags: int
    size: int
    content: bytes


class LmdbFile:
    """Open for reading; threads and forked processes may share it."""

    def __init__(self, path: Path) -> None:
        """Raises Damage for another kind of file, OSError for a missing one."""
        self._descriptor = os.open(path, os.O_RDONLY)
        try:
            self._bytes = os.fstat(self._descriptor).st_size
            self._page_bytes = 4096
            self._page_bytes, main = self._newest_main()
            names = {name: node for name, node in self._named(main) if node.flags & _SUBTREE}
            self.trees = {name: _tree(node.content) for name, node in names.items()}
        except BaseException:
            self.close()
            raise

    def get(self, tree: Tree, key: bytes) -> bytes | None:
        number = tree.root
        if number == _NO_PAGE:
            return None
        for _ in range(_DEEPEST):
            is_leaf, nodes = self._nodes(number)
            if is_leaf:
                return next((self._value(node) for node in nodes if node.key == key), None)
            if not nodes:
                raise Damage(_NOT_WRITTEN)
            # The first key of a branch is empty: it stands for everything before the second.
            number = _child([node for n, node in enumerate(nodes) if n == 0 or node.key <= key][-1])
        raise Damage(_NOT_WRITTEN)

    def pairs(self, tree: Tree) -> Iterator[tuple[bytes, bytes]]:
        """All keys and values, in the order of the keys."""
        seen = 0
        for node in self._leaves(tree):
            seen += 1
            yield node.key, self._value(node)
        if seen != tree.entries:
            raise Damage(f"found {seen:,} of {tree.entries:,} records")

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _newest_main(self) -> tuple[int, Tree]:
        """The size of pages, and the tree that names the others, as the last transaction left it."""
        first = self._meta(0)
        self._page_bytes = first[1]
        newest = max(first, self._meta(1), key=lambda meta: meta[0])
        return newest[1], newest[2]

    def _meta(self, number: int) -> tuple[int, int, Tree]:
        page = self._read(number * self._page_bytes, 4096)
        magic, version, _, _ = _META.unpack_from(page, _PAGE.size)
        page_bytes = _TREE.unpack_from(page, _TREES_AT)[0]
        is_size = 512 <= page_bytes <= 65536 and not page_bytes & (page_bytes - 1)
        if magic != _MAGIC or version != _VERSION or not is_size:
            raise Damage("it does not begin as an LMDB file does")
        (transaction,) = struct.unpack_from("<Q", page, _TREES_AT + 2 * _TREE.size + 8)
        return transaction, page_bytes, _tree(page[_TREES_AT + _TREE.size :])

    def _named(self, main: Tree) -> Iterator[tuple[bytes, _Node]]:
        return ((node.key, node) for node in self._leaves(main))

    def _leaves(self, tree: Tree) -> Iterator[_Node]:
        waiting, pages_read = ([] if tree.root == _NO_PAGE else [tree.root]), 0
        while waiting:
            pages_read += 1
            if pages_read * self._page_bytes > self._bytes:  # the pages name each other in a circle
                raise Damage(_NOT_WRITTEN)
            is_leaf, nodes = self._nodes(waiting.pop())
            if is_leaf:
                yield from nodes
            else:
                waiting += [_child(node) for node in reversed(nodes)]

    def _nodes(self, number: int) -> tuple[bool, list[_Node]]:
        page = self._read(number * self._page_bytes, self._page_bytes)
        own_number, _, flags, lower, _ = _PAGE.unpack_from(page)
        if own_number != number or flags not in (_BRANCH, _LEAF) or not _PAGE.size <= lower <= len(page) or lower % 2:
            raise Damage(_NOT_WRITTEN)
        pointers = struct.unpack_from(f"<{(lower - _PAGE.size) // 2}H", page, _PAGE.size)
        return flags == _LEAF, [_node(page, at, is_leaf=flags == _LEAF) for at in pointers]

    def _value(self, node: _Node) -> bytes:
        if not node.flags & _ON_OTHER_PAGES:
            return node.content
        (number,) = struct.unpack("<Q", node.content)
        return self._read(number * self._page_bytes + _PAGE.size, node.size)

    def _read(self, at: int, length: int) -> bytes:
        if at + length > self._bytes:
            raise Damage(_NOT_WRITTEN)
        try:
            content = os.pread(self._descriptor, length, at)
        except OSError as failure:
            raise Damage(f"it can't be read ({failure.strerror})") from failure
        if len(content) != length:
            raise Damage("it ends too early")
        return content


def _node(page: bytes, at: int, *, is_leaf: bool) -> _Node:
    key_at = at + _NODE.size
    if key_at > len(page):
        raise Damage(_NOT_WRITTEN)
    low, high, flags, key_bytes = _NODE.unpack_from(page, at)
    size = low | high << 16
    if not is_leaf:
        kept, flags = size.to_bytes(4, "little") + flags.to_bytes(4, "little"), 0
    else:
        kept_bytes = 8 if flags & _ON_OTHER_PAGES else size
        kept = page[key_at + key_bytes : key_at + key_bytes + kept_bytes]
        if len(kept) != kept_bytes:
            raise Damage(_NOT_WRITTEN)
    return _Node(page[key_at : key_at + key_bytes], flags, size, kept)


def _child(node: _Node) -> int:
    """In a branch the page's number stands where a leaf has size and flags."""
    return int.from_bytes(node.content, "little")


def _tree(content: bytes) -> Tree:
    if len(content) < _TREE.size:
        raise Damage(_NOT_WRITTEN)
    _, _, depth, _, _, _, entries, root = _TREE.unpack_from(content)
    if depth > _DEEPEST:
        raise Damage(_NOT_WRITTEN)
    return Tree(root, depth, entries)
