"""The owner of a lease: what is needed of a process to find out later, from another one, whether it is running."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class LeaseOwner:
    """A process. `realm` differs between machines and containers of one host name, `born` between two uses of a pid."""

    host: str
    realm: str
    pid: int
    born: str

    @classmethod
    def this_process(cls) -> "LeaseOwner":
        return cls(socket.gethostname(), _realm(), os.getpid(), _born(os.getpid()) or "")

    def is_dead(self) -> bool | None:
        """True or False for a process of this machine; None when it can't be seen from here."""
        if (self.host, self.realm) != (socket.gethostname(), _realm()):
            return None
        if Path("/proc/self/stat").exists():
            return _born(self.pid) != self.born
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return False


def _born(pid: int) -> str | None:
    """When a living process started, in the kernel's ticks; None for none, and for a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def _realm() -> str:
    """This boot of this kernel, and the process namespace in it; empty where the system shows neither."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""
