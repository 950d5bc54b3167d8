"""Cold start and memory: the program beside a bare Qt window, each in a process of its own, taking turns."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from clinician.bench.measure import Measure, middle
from clinician.bench.served import environment

_PATIENCE_S: Final = 120
MEGA: Final = 1e6


@dataclass(frozen=True, slots=True)
class Started:
    """Seconds from the start of the process to the first paint and to the sign-in page; bytes at the end."""

    painted: float
    people: float
    resident: int


def started(*arguments: str) -> Started:
    """Run the driver once. Raises CalledProcessError when it fails."""
    began = time.monotonic()
    done = subprocess.run(  # noqa: S603  this very program
        [sys.executable, "-m", "ui.measure.started", *arguments],
        env=environment(),
        stdout=subprocess.PIPE,
        timeout=_PATIENCE_S,
        check=True,
    )
    said = {str(line["what"]): line for line in _lines(done.stdout)}
    painted = said["painted"]["at"] - began
    people = said["people"]["at"] - began if "people" in said else painted
    return Started(painted, people, int(said["settled"]["rss"]))


def _lines(output: bytes) -> Iterator[dict[str, Any]]:
    return (json.loads(line) for line in output.splitlines() if line.startswith(b'{"what"'))


def starting(folder: Path, rounds: int) -> Iterator[Measure]:
    """Rows for an existing practice folder; the first start of each kind only warms the disk."""
    pairs = [(started("bare"), started("program", str(folder))) for _ in range(rounds + 1)][1:]
    bare, ours = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    floor = _median([one.painted for one in bare])
    yield Measure("cold start, window painted", _median([one.painted for one in ours]), "ms", floor)
    yield Measure("cold start, people to choose from", _median([one.people for one in ours]), "ms", floor)
    held, empty = (middle([one.resident for one in kind]) / MEGA for kind in (ours, bare))
    yield Measure("memory, window after sync", held, "MB", empty)


def _median(samples: Sequence[float]) -> float:
    return middle(samples) * 1e3
