"""Run `pip install` and show its progress. `pip_install.py PYTHON PINS PIP_OPTION…`

On a terminal one line is rewritten; elsewhere a plain line is written whenever something new begins, and at least every
ten seconds. If pip fails, its whole output follows, and this ends with its exit code. Needs the standard library alone.
"""

import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

MB = 1_000_000
REPEAT_S = 10.0  # a plain line at least this often
REDRAW_S = 0.2  # the line of a terminal
LARGE_MB = 20.0  # a download worth a line of its own where lines stay

DOWNLOADING = re.compile(r"\s*Downloading (?:\S+/)?(\S+) \(([\d.]+) (kB|MB|GB)\)")
BUILDING = re.compile(r"\s*Building (?:wheel|editable) for (\S+) .*started")
COLLECTING = re.compile(r"\s*(?:Collecting|Requirement already satisfied:|Obtaining) (\S+)")
INSTALLING = re.compile(r"\s*Installing collected packages: (.*)")


@dataclass
class Progress:
    """What pip does now, read from its lines and from the folders that it writes to."""

    expected: int  # packages, about: not every pin is needed for every set of extras
    downloads: Path
    site_packages: Path
    collected: set[str] = field(default_factory=set)
    present: int = 0  # packages in the environment before pip installs the first
    to_install: int = 0
    action: str = "starting pip"
    file: str = ""
    size_mb: float = 0.0

    def read(self, line: str) -> bool:
        """Take one line of pip's output. Returns whether it begins something that is shown on a line of its own."""
        if match := DOWNLOADING.match(line):
            unit = {"kB": 0.001, "MB": 1.0, "GB": 1000.0}[match[3]]
            self.file, self.size_mb = match[1], float(match[2]) * unit
            self.action = "downloading"
            return self.size_mb >= LARGE_MB
        if match := BUILDING.match(line):
            self.action = f"building {match[1]}"
            return True
        if match := INSTALLING.match(line):
            self.to_install, self.present = len(match[1].split(",")), self._installed()
            self.action = "installing"
            return True
        if match := COLLECTING.match(line):
            name = re.split(r"[<>=!~;\[ ]", match[1])[0].lower().replace("_", "-")
            self.collected.add(name)
            self.action = "collecting"
            self.file = name
        return False

    def text(self) -> str:
        if self.action == "installing":
            done = min(max(self._installed() - self.present, 0), self.to_install)
            return f"installing: {done} of {self.to_install} packages"
        if not self.collected:
            return self.action
        counted = f"package {len(self.collected)} of about {max(self.expected, len(self.collected))}"
        if self.action == "downloading":
            arrived = min(self._arrived() / MB, self.size_mb)
            amount = f"{arrived:.0f} of {self.size_mb:.0f} MB" if self.size_mb >= 1 else "less than 1 MB"
            return f"{counted}: downloading {self.file}, {amount}"
        if self.action == "collecting":
            return f"{counted}: collecting {self.file}"
        return f"{counted}: {self.action}"

    def _installed(self) -> int:
        return sum(1 for _ in self.site_packages.glob("*.dist-info"))

    def _arrived(self) -> int:
        """Bytes of the file that is being downloaded: pip writes it, under its own name, below TMPDIR."""
        try:
            return max((path.stat().st_size for path in self.downloads.glob(f"*/{self.file}*")), default=0)
        except OSError:
            return 0


class Screen:
    """One line that is rewritten on a terminal; lines that stay elsewhere."""

    def __init__(self, out: TextIO) -> None:
        self.out = out
        self.is_terminal = out.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self.began = self.last = time.monotonic()
        self.shown = ""

    def show(self, text: str, *, is_new: bool) -> None:
        now = time.monotonic()
        seconds = f"{now - self.began:.0f} s"
        if self.is_terminal:
            if is_new or now - self.last >= REDRAW_S:
                width = shutil.get_terminal_size().columns - 1
                self.out.write("\r\033[K" + f"  {seconds:>6}  {text}"[:width])
                self.out.flush()
                self.last = now
        elif (is_new and text != self.shown) or now - self.last >= REPEAT_S:
            self.out.write(f"  {seconds:>6}  {text}\n")
            self.out.flush()
            self.last, self.shown = now, text

    def close(self, text: str) -> None:
        """The last line, which stays."""
        seconds = f"{time.monotonic() - self.began:.0f} s"
        self.out.write(("\r\033[K" if self.is_terminal else "") + f"  {seconds:>6}  {text}\n")
        self.out.flush()


def pinned(pins: Path) -> int:
    return sum(1 for line in pins.read_text("utf-8").splitlines() if re.match(r"[A-Za-z0-9]", line))


def site_packages_of(python: str) -> Path:
    command = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    return Path(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())


def main(python: str, pins: str, *options: str) -> int:
    screen = Screen(sys.stdout)
    lines: list[str] = []
    arriving: queue.Queue[str | None] = queue.Queue()
    with tempfile.TemporaryDirectory(prefix="pip-") as folder:
        progress = Progress(pinned(Path(pins)), Path(folder), site_packages_of(python))
        pip = subprocess.Popen(
            [python, "-m", "pip", "install", "--progress-bar", "off", *options],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            env={**os.environ, "TMPDIR": folder},
        )  # fmt: skip

        def forward() -> None:
            assert pip.stdout is not None
            for line in pip.stdout:
                arriving.put(line)
            arriving.put(None)

        threading.Thread(target=forward, daemon=True).start()
        while True:
            try:
                line = arriving.get(timeout=REDRAW_S)
            except queue.Empty:
                screen.show(progress.text(), is_new=False)
                continue
            if line is None:
                break
            lines.append(line)
            screen.show(progress.text(), is_new=progress.read(line))
        code = pip.wait()
    if code:
        screen.close(f"pip failed with exit code {code}. What it printed:")
        sys.stderr.writelines(lines)
        return code
    installed = progress.to_install or "no"
    screen.close(f"done: {installed} packages installed")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
