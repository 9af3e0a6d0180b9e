"""One writer per table, with real processes: no JVM."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from lakehouse.leases.leases import Claim, LeaseDesk
from lakehouse.leases.owners import LeaseOwner
from lakehouse.leases.stores import FolderClaims
from lakehouse.storage_errors import Fenced, LeaseHeld, StorageError

TABLE = "aggregate/household_spend/v1"
PROJECT_ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "ware house" / "leases"


def desk(folder: Path, run_id: str = "run-a", **settings: float) -> LeaseDesk:
    return LeaseDesk(FolderClaims(folder), run_id, **settings)


def in_another_process(folder: Path, code: str) -> subprocess.Popen[str]:
    program = (
        "import sys, os, time, json\n"
        "from lakehouse.leases.leases import LeaseDesk\n"
        "from lakehouse.storage_errors import LeaseHeld\n"
        "desk = LeaseDesk.at(sys.argv[1], run_id=f'run-{os.getpid()}')\n"
        f"table = {TABLE!r}\n{code}"
    )
    return subprocess.Popen(
        [sys.executable, "-c", program, str(folder)],
        cwd=PROJECT_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_a_second_run_learns_who_writes_the_table_since_when_and_what_to_do(folder: Path):
    with desk(folder).acquire(TABLE), pytest.raises(LeaseHeld) as raised:
        desk(folder, "run-b").acquire(TABLE)
    assert raised.value.exit_code == 40
    for part in (
        "run-a",
        TABLE,
        str(os.getpid()),
        LeaseOwner.this_process().host,
        "since 20",
        "Wait for it or stop",
    ):
        assert part.lower() in str(raised.value).lower()


def test_the_token_grows_with_every_acquisition_and_survives_release(folder: Path):
    tokens = []
    for run in ("run-a", "run-b", "run-a"):
        with desk(folder, run).acquire(TABLE) as lease:
            tokens.append(lease.token)
    assert tokens == [tokens[0], tokens[0] + 1, tokens[0] + 2]


def test_a_deleted_leases_folder_does_not_bring_old_tokens_back(folder: Path):
    with desk(folder).acquire(TABLE) as lease:
        before = lease.token
    for file in (folder / TABLE).iterdir():
        file.unlink()
    time.sleep(1.1)
    with desk(folder).acquire(TABLE) as lease:
        assert lease.token > before


def test_a_renewed_lease_has_a_greater_token_and_still_keeps_others_out(folder: Path):
    with desk(folder).acquire(TABLE) as lease:
        before = lease.token
        assert lease.renew() == before + 1
        lease.check()
        with pytest.raises(LeaseHeld):
            desk(folder, "run-b").acquire(TABLE)


def test_the_lease_of_a_killed_process_is_taken_over_at_once(folder: Path):
    holder = in_another_process(folder, "lease = desk.acquire(table); print(lease.token, flush=True); time.sleep(60)")
    token = int(holder.stdout.readline())
    with pytest.raises(LeaseHeld):
        desk(folder).acquire(TABLE)
    holder.kill()  # not waited for yet: a zombie is dead, too
    with desk(folder).acquire(TABLE, wait_seconds=5) as lease:
        assert lease.token == token + 1
    holder.communicate()


def test_a_reused_process_number_does_not_keep_the_lease(folder: Path):
    claimed(folder, replace(LeaseOwner.this_process(), born="1"))
    with desk(folder).acquire(TABLE) as lease:
        assert lease.token == 8


def test_another_machines_lease_falls_free_only_after_its_heartbeat_went_silent(folder: Path):
    claim = claimed(folder, LeaseOwner("elsewhere", "another boot", 1, "1"))
    with pytest.raises(LeaseHeld, match="elsewhere"):
        desk(folder).acquire(TABLE)
    an_hour_ago = time.time() - 3600
    os.utime(claim, (an_hour_ago, an_hour_ago))
    with desk(folder).acquire(TABLE) as lease:
        assert lease.token == 8


def test_a_heartbeat_keeps_the_lease_fresh_for_readers_on_other_machines(folder: Path):
    store = FolderClaims(folder)
    with desk(folder, stale_after_seconds=3).acquire(TABLE) as lease:  # a beat each 0.2 s
        time.sleep(1)
        assert store.age_seconds(TABLE, lease.token) < 0.9
    silent = store.read(TABLE, lease.token)
    time.sleep(0.5)
    assert store.read(TABLE, lease.token) == silent
    assert json.loads(silent)["is_released"]


def test_a_holder_that_was_taken_over_finds_itself_fenced_and_leaves_the_new_claim_alone(folder: Path):
    lease = desk(folder).acquire(TABLE)
    store = FolderClaims(folder)
    usurper = Claim(TABLE, lease.token + 1, "run-b", "now", LeaseOwner.this_process())
    assert store.create(TABLE, usurper.token, usurper.to_json())
    with pytest.raises(Fenced, match="run-b") as raised:
        lease.check()
    assert raised.value.exit_code == 41
    with pytest.raises(Fenced):
        lease.renew()
    lease.release()
    assert not json.loads(store.read(TABLE, usurper.token))["is_released"]


def test_all_tables_are_taken_or_none(folder: Path):
    other = "raw/transactions/v1"
    with desk(folder, "run-b").acquire(other):
        with pytest.raises(LeaseHeld, match="raw/transactions"):
            desk(folder).acquire_all([other, TABLE])
        desk(folder, "run-c").acquire(TABLE).release()
    with desk(folder).acquire_all([TABLE, other, TABLE]) as leases:
        assert list(leases) == [TABLE, other]
    desk(folder, "run-c").acquire_all([TABLE, other]).release()


def test_the_lease_is_released_when_the_work_inside_fails(folder: Path):
    with pytest.raises(ZeroDivisionError), desk(folder).acquire(TABLE):
        _ = 1 / 0
    desk(folder, "run-b").acquire(TABLE).release()


def test_a_waiting_run_gets_the_lease_when_it_is_released(folder: Path):
    holder = in_another_process(
        folder, "l = desk.acquire(table); print('held', flush=True); time.sleep(1); l.release()"
    )
    assert holder.stdout.readline() == "held\n"
    with desk(folder).acquire(TABLE, wait_seconds=20):
        pass
    holder.communicate()


def test_of_racing_processes_never_two_hold_the_lease_and_no_token_is_given_twice(folder: Path, tmp_path: Path):
    code = """
print('ready', flush=True); sys.stdin.readline()
for _ in range(8):
    with desk.acquire(table, wait_seconds=60) as lease:
        handle = os.open('INSIDE', os.O_CREAT | os.O_EXCL)   # fails when another process is inside, too
        time.sleep(0.002)
        os.close(handle); os.unlink('INSIDE')
        print(lease.token, flush=True)
""".replace("INSIDE", str(tmp_path / "inside"))
    racers = [in_another_process(folder, code) for _ in range(4)]
    for racer in racers:
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        racer.stdin.write("go\n")
        racer.stdin.flush()
    answers = [racer.communicate(timeout=120)[0].split() for racer in racers]
    assert [racer.returncode for racer in racers] == [0] * 4
    tokens = [int(token) for tokens in answers for token in tokens]
    assert len(set(tokens)) == len(tokens) == 32
    assert all(one == sorted(one) for one in answers)


def test_of_racing_processes_without_waiting_exactly_one_wins(folder: Path):
    code = """
print('ready', flush=True); sys.stdin.readline()
try:
    desk.acquire(table); print('won', flush=True); sys.stdin.readline()
except LeaseHeld:
    print('held', flush=True)
"""
    racers = [in_another_process(folder, code) for _ in range(4)]
    for racer in racers:
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        racer.stdin.write("go\n")
        racer.stdin.flush()
    answers = [racer.stdout.readline().strip() for racer in racers]
    for racer in racers:
        racer.communicate("end\n", timeout=30)
    assert sorted(answers) == ["held", "held", "held", "won"]


class Overtaken(FolderClaims):
    """A folder in which others come first, between this process's look and its claim: once."""

    def __init__(self, folder: Path, others: Callable[[], object]) -> None:
        super().__init__(folder)
        self._others: list[Callable[[], object]] = [others]

    def create(self, table: str, token: int, content: bytes) -> bool:
        if self._others:
            self._others.pop()()
        return super().create(table, token, content)


def test_a_run_that_slept_between_its_look_and_its_claim_gives_way(folder: Path):
    desk(folder, "run-b").acquire(TABLE).release()
    held = []

    def others() -> None:
        desk(folder, "run-c").acquire(TABLE).release()
        held.append(desk(folder, "run-d").acquire(TABLE))  # and cleans up the number that we are about to take

    with pytest.raises(LeaseHeld, match="run-d"):
        LeaseDesk(Overtaken(folder, others), "run-a").acquire(TABLE)
    held[0].check()


def test_of_two_first_claims_with_different_numbers_the_later_gives_way(folder: Path):
    with pytest.raises(LeaseHeld, match="run-z"):
        LeaseDesk(Overtaken(folder, lambda: claimed(folder, LeaseOwner.this_process())), "run-a").acquire(TABLE)


def test_a_folder_that_can_not_be_written_is_an_error_of_one_sentence(tmp_path: Path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StorageError, match="can't be created") as raised:
        desk(tmp_path / "file" / "leases").acquire(TABLE)
    assert raised.value.exit_code == 42


def test_a_lease_is_released_on_a_full_disk_too(folder: Path, monkeypatch):
    lease = desk(folder).acquire(TABLE)

    def full(**_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("tempfile.mkstemp", full)
        with pytest.raises(StorageError, match="the disk is full"):
            desk(folder).acquire("raw/transactions/v1")
        lease.release()
    desk(folder, "run-b").acquire(TABLE).release()


def claimed(folder: Path, holder: LeaseOwner, token: int = 7) -> Path:
    claim = Claim(TABLE, token, "run-z", "2017-11-30T00:00:00+00:00", holder)
    FolderClaims(folder).create(TABLE, token, json.dumps(asdict(claim)).encode())
    return folder / TABLE / f"{token:012d}.json"
