"""One writer per table: a lease with a fencing token that only ever grows.

Delta's commits are not promised safe between two driver processes on local paths or plain S3, so a run
takes a lease before it writes. The token goes into the commit as `txnVersion`: Delta skips an older one.

How it is safe: to acquire is to create the claim numbered one above the highest, which one process alone
can do; then to look again and give way to any claim not seen before. The highest claim is never deleted,
so the token survives a release. A process never releases the lease of another.
"""

import json
import random
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from lakehouse.leases.owners import LeaseOwner
from lakehouse.leases.stores import ClaimStore, claim_store
from lakehouse.storage_errors import Fenced, LeaseHeld, translated_storage_errors

STALE_AFTER_SECONDS = 15 * 60.0


@dataclass(frozen=True)
class Claim:
    """The content of a claim file. purpose: the command, for a run that is not in the ledger yet."""

    table: str
    token: int
    run_id: str
    since: str
    holder: LeaseOwner
    is_released: bool = False
    purpose: str = ""

    def to_json(self) -> bytes:
        """A purpose is written where there is one: a version of us that doesn't know the field reads all others."""
        fields = asdict(self)
        if not self.purpose:
            del fields["purpose"]
        return json.dumps(fields, indent=1).encode()

    @classmethod
    def from_json(cls, content: bytes | None) -> "Claim | None":
        """None for a claim that is still being written, or that no version of us wrote."""
        try:
            fields = json.loads(content or b"")
            return cls(**{**fields, "holder": LeaseOwner(**fields["holder"])})
        except (ValueError, TypeError, KeyError):
            return None


class Lease:
    """The right to write one table, kept fresh by a heartbeat until released. A context manager."""

    def __init__(self, store: ClaimStore, claim: Claim, *, heartbeat_seconds: float) -> None:
        self._store, self._claim = store, claim
        self._lock, self._over = threading.Lock(), threading.Event()
        self._every = heartbeat_seconds
        threading.Thread(target=self._beat, name=f"lease {claim.table}", daemon=True).start()

    @property
    def table(self) -> str:
        return self._claim.table

    @property
    def token(self) -> int:
        return self._claim.token

    @property
    def run_id(self) -> str:
        return self._claim.run_id

    def check(self) -> None:
        """Raises Fenced when another run took the table over, or when this lease was released."""
        newest = max(self._store.tokens(self.table), default=None)
        if newest != self.token or self._over.is_set():
            raise fenced(self.table, self.run_id, self.token, self._successor(newest))

    def renew(self) -> int:
        """A greater token under the same holding: one commit to the table takes one token."""
        with self._lock:
            self.check()
            following = replace(self._claim, token=self.token + 1)
            if not self._store.create(self.table, following.token, following.to_json()):
                raise fenced(self.table, self.run_id, self.token, self._successor(following.token))
            self._store.drop(self.table, self.token)
            self._claim = following
        return self.token

    def release(self) -> None:
        """Ends the lease, so that the next run can take it. May be repeated, also after the lease was lost."""
        with self._lock:
            if not self._over.is_set():
                self._over.set()
                if max(self._store.tokens(self.table), default=None) == self.token:
                    released = replace(self._claim, is_released=True)
                    self._store.rewrite(self.table, self.token, released.to_json())

    def forget(self) -> None:
        """Ends the lease and deletes its claim, token too: only for names that are never used again.

        One step: a claim that is released and not yet deleted never exists, so that no reader has to interpret one.
        """
        with self._lock:
            self._over.set()
            self._store.drop(self.table, self.token)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _beat(self) -> None:
        while not self._over.wait(self._every):
            with self._lock:
                if self._over.is_set():
                    return
                try:
                    self._store.rewrite(self.table, self.token, self._claim.to_json())
                except Exception:
                    continue

    def _successor(self, token: int | None) -> str:
        claim = Claim.from_json(self._store.read(self.table, token)) if token is not None else None
        return f"run {claim.run_id} since {claim.since}" if claim and claim.token != self.token else "no run now"


class HeldLeases(Mapping[str, Lease]):
    """Several leases taken together, by table; released together."""

    def __init__(self, leases: Mapping[str, Lease]) -> None:
        self._leases = dict(leases)

    def __getitem__(self, table: str) -> Lease:
        return self._leases[table]

    def __iter__(self) -> Iterator[str]:
        return iter(self._leases)

    def __len__(self) -> int:
        return len(self._leases)

    def release(self) -> None:
        with ExitStack() as stack:  # each is released, also when one of them fails
            for lease in self._leases.values():
                stack.callback(lease.release)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


@dataclass(frozen=True)
class LeaseDesk:
    """Grants the leases of one warehouse to one run."""

    store: ClaimStore
    run_id: str
    stale_after_seconds: float = STALE_AFTER_SECONDS

    @classmethod
    def at(cls, folder: str, *, run_id: str) -> "LeaseDesk":
        """For a warehouse's `leases` folder, local or on S3."""
        return cls(claim_store(folder), run_id)

    def acquire(self, table: str, *, wait_seconds: float = 0, purpose: str = "") -> Lease:
        """The lease on a table, waiting at most so long; raises LeaseHeld, naming the owner.

        An owner that died on this machine is replaced at once, one on another machine when its
        heartbeat has been silent for `stale_after_seconds`. purpose: kept in the claim, for `abandoned`.
        """
        deadline = time.monotonic() + wait_seconds
        with translated_storage_errors(f"the lease on {table} in {self.store}"):
            while True:
                held, lease = self._try(table, purpose)
                if lease is not None:
                    return lease
                if held is not None and time.monotonic() >= deadline:
                    raise held
                time.sleep(random.uniform(0.02, 0.2 if held is None else 0.5))

    def acquire_all(self, tables: Iterable[str], *, wait_seconds: float = 0) -> HeldLeases:
        """All leases, in sorted order so that two runs can't block each other, or none."""
        taken: dict[str, Lease] = {}
        try:
            for table in sorted(set(tables)):
                taken[table] = self.acquire(table, wait_seconds=wait_seconds)
        except BaseException:
            HeldLeases(taken).release()
            raise
        return HeldLeases(taken)

    def abandoned(self, table: str) -> Claim | None:
        """The newest claim on a table, when its owner died without releasing it; else None."""
        token = max(self.store.tokens(table), default=None)
        claim = Claim.from_json(self.store.read(table, token)) if token is not None else None
        if token is None or claim is None or claim.is_released or self._holding(table, token) is not None:
            return None
        return claim

    def _try(self, table: str, purpose: str) -> tuple[LeaseHeld | None, Lease | None]:
        """One attempt: the lease, or the error that names its owner, or neither when another attempt came between."""
        before = self.store.tokens(table)
        if before and (held := self._holding(table, before[-1])):
            return held, None
        # Counting starts at the clock, so that a deleted leases folder does not hand out tokens used before.
        token = before[-1] + 1 if before else int(time.time())
        since = datetime.now(UTC).isoformat(timespec="seconds")
        claim = Claim(table, token, self.run_id, since, LeaseOwner.this_process(), purpose=purpose)
        if not self.store.create(table, token, claim.to_json()):
            return None, None
        after = self.store.tokens(table)
        if after[-1:] != [token] or set(after) - set(before) != {token}:
            self.store.drop(table, token)
            return None, None
        for old in before:
            self.store.drop(table, old)
        return None, Lease(self.store, claim, heartbeat_seconds=self.stale_after_seconds / 15)

    def _holding(self, table: str, token: int) -> LeaseHeld | None:
        """The error that names the owner, or None when the table is free: released, or its owner is dead."""
        age = self.store.age_seconds(table, token)
        claim = Claim.from_json(self.store.read(table, token))
        if age is None or (claim is not None and claim.is_released):
            return None
        is_dead = claim.holder.is_dead() if claim is not None else None
        if is_dead is None:
            is_dead = age > self.stale_after_seconds
        return None if is_dead else _held(table, claim, age, self.stale_after_seconds)


def _held(table: str, claim: Claim | None, age: float, stale_after: float) -> LeaseHeld:
    if claim is None:
        return LeaseHeld(f"Another run is just taking the lease on {table}. Wait for it, then run again.")
    return LeaseHeld(
        f"Run {claim.run_id} writes {table} since {claim.since} (process {claim.holder.pid} on "
        f"{claim.holder.host}, last sign of life {age:.0f} s ago). Wait for it or stop that process; "
        f"if its machine is gone, the table falls free {stale_after / 60:.0f} minutes after the last sign."
    )


def fenced(table: str, run_id: str, token: int, by: str, *, was_published: bool = False) -> Fenced:
    """The error for a run that lost its table."""
    fate = "This write was published before that" if was_published else "Nothing of this write was published"
    return Fenced(
        f"Run {run_id} lost {table}: its token {token} is not the newest (now: {by}). "
        f"{fate}; run again when the other run has ended."
    )
