"""What a bench hands back, and the small arithmetic of samples."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Measure:
    """One row. floor: what the cheapest way to do the same cost in this very run, in the same unit.

    goal, anchor: of SYNC §2, as words: what we promised, and what others were measured at.
    """

    bench: str
    value: float
    unit: str
    floor: float
    goal: str = ""
    anchor: str = ""

    def as_row(self) -> dict[str, Any]:
        """bench, value, unit, floor, ratio (value ÷ floor; of a rate the share of the floor reached)."""
        ratio = self.value / self.floor if self.floor else 0.0
        beside = {"goal": self.goal, "anchor": self.anchor}
        return {
            "bench": self.bench,
            "value": round(self.value, 4),
            "unit": self.unit,
            "floor": round(self.floor, 4),
            "ratio": round(ratio, 3),
            **{name: words for name, words in beside.items() if words},
        }


def percentile(samples: Sequence[float], share: int) -> float:
    """The nearest-rank percentile. share: 0-100; samples are not empty."""
    ordered = sorted(samples)
    return ordered[max(0, ceil(len(ordered) * share / 100) - 1)]


def seconds(work: Callable[[], object]) -> float:
    """Wall seconds of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU seconds of this process, every thread, while one call lasts."""
    started = time.process_time()
    work()
    return time.process_time() - started


def spread(bench: str, samples: Sequence[float], floors: Sequence[float]) -> tuple[Measure, Measure]:
    """Rows 'bench p50' and 'bench p95' in ms. Floors are compared at the same percentile."""
    return (
        Measure(f"{bench} p50", percentile(samples, 50) * 1e3, "ms", percentile(floors, 50) * 1e3),
        Measure(f"{bench} p95", percentile(samples, 95) * 1e3, "ms", percentile(floors, 95) * 1e3),
    )


def middle(samples: Sequence[float]) -> float:
    """The median."""
    return float(median(samples))


def tidy() -> None:
    """Start a run with no rubbish of the one before."""
    gc.collect()
