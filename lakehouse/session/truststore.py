"""A Java trust store with the authorities that this Python trusts.

A company's network often signs with an authority of its own. pip and Python know it from the system; a Java
runtime has its own list, and one that came by pip certainly lacks it.
"""

import hashlib
import ssl
import struct
import time
from collections.abc import Sequence
from pathlib import Path

PASSWORD = "changeit"  # the format wants one; a list of public certificates has no secret


def python_truststore(path: Path) -> Path | None:
    """Write the store to the path; None if this Python names no authorities."""
    certificates = ssl.create_default_context().get_ca_certs(binary_form=True)
    if not certificates:
        return None
    path.write_bytes(_store(certificates))
    return path


def _store(certificates: Sequence[bytes]) -> bytes:
    """Java's own JKS format, version 2: tagged entries, then a keyed SHA-1 of all before."""
    now = int(time.time() * 1000)
    body = struct.pack(">III", 0xFEEDFEED, 2, len(certificates))
    for number, certificate in enumerate(certificates):
        body += struct.pack(">I", 2) + _text(str(number)) + struct.pack(">q", now)
        body += _text("X.509") + struct.pack(">I", len(certificate)) + certificate
    return body + hashlib.sha1(PASSWORD.encode("utf-16-be") + b"Mighty Aphrodite" + body).digest()


def _text(text: str) -> bytes:
    return struct.pack(">H", len(text)) + text.encode("ascii")
