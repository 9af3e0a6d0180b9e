"""Hadoop's checksums of local files: Spark keeps `.<name>.crc` beside each, and refuses a file that does not fit it."""

import zlib
from pathlib import Path


def keep_checksum(file: Path) -> None:
    """Write the checksum of a finished file beside it."""
    _beside(file).write_bytes(_checksum(file.read_bytes(), 512))


def fits_checksum(file: Path) -> bool:
    """False when the file's content is not what its checksum was taken of; True where no checksum is kept."""
    try:
        kept = _beside(file).read_bytes()
    except FileNotFoundError:
        return True
    step = int.from_bytes(kept[4:8], "big")
    return step > 0 and kept == _checksum(file.read_bytes(), step)


def _checksum(content: bytes, step: int) -> bytes:
    sums = (zlib.crc32(content[at : at + step]).to_bytes(4, "big") for at in range(0, len(content), step))
    return b"crc\0" + step.to_bytes(4, "big") + b"".join(sums)


def _beside(file: Path) -> Path:
    return file.with_name(f".{file.name}.crc")
