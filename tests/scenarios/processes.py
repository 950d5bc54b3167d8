"""Starts, asks, kills and starts again: workstations and a record as processes."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]


class Child:
    """A process that answers JSON lines."""

    def __init__(self, module: str, *arguments: str, log: Path) -> None:
        self._log = log.open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"},
        )
        self.first = self._read()

    def _read(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the process ended without an answer"
        return json.loads(line)

    def ask(self, do: str, **more: Any) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **more}).encode() + b"\n")
        self._process.stdin.flush()
        return self._read()

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        """SIGKILL: no clean-up of any kind runs."""
        os.kill(self._process.pid, signal.SIGKILL)
        self._close()

    def end(self, word: bytes = b"") -> None:
        assert self._process.stdin is not None
        if self._process.poll() is None and word:
            self._process.stdin.write(word)
            self._process.stdin.flush()
            self._read()
        self._close()

    def _close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._log.close()


class Memory:
    """By how many bytes the highest point of a process rose above where it stood.

    Pages of files it looks into (mmap) do not count: the system takes them back as it likes.
    """

    def __init__(self, pid: int | str = "self") -> None:
        self._folder = Path("/proc") / str(pid)
        (self._folder / "clear_refs").write_text("5", "ascii")
        self._before, self._files = self._told("VmRSS"), self._told("RssFile")

    @property
    def grew(self) -> int:
        return self._told("VmHWM") - self._before - max(0, self._told("RssFile") - self._files)

    def _told(self, what: str) -> int:
        lines = (self._folder / "status").read_text("ascii").splitlines()
        return int(next(line for line in lines if line.startswith(what)).split()[1]) * 1024


@contextmanager
def most_memory(pid: int | str = "self") -> Iterator[Memory]:
    """Measure from here on: Linux sets a process's highest point back to where it stands (proc(5))."""
    gc.collect()
    yield Memory(pid)


def until(look: Callable[[], T], seconds: float, what: str) -> tuple[T, float]:
    """Look until it is so; what was seen and how long it took."""
    start = time.monotonic()
    while True:
        seen = look()
        took = time.monotonic() - start
        if seen:
            return seen, took
        assert took < seconds, f"not within {seconds} s: {what}"
        time.sleep(0.02)
