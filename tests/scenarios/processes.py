"""Starts, asks, kills and starts again: workstations and a record as processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
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
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._log.close()


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
