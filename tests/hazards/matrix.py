"""The hazard matrix of SYNC §1.4: our rule must miss nothing in any cell, and every naive rule must be caught.

python -m tests.hazards.matrix --runs 200                prints the table; exit code 1 on any miss or surviving rule
python -m tests.hazards.matrix --cells "all,odd pages"   only cells whose names begin so
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from multiprocessing import get_context
from statistics import median

from tests.hazards.hazards import Hazards
from tests.hazards.light import LightStation
from tests.hazards.rules import NAIVE, NEWEST, NO_OVERLAP, OWN_CLOCK, SHORT, Naive
from tests.hazards.simulation import PLAN, Cell, Outcome, Simulation

NODES = (-1.5, 1.5)
CELLS = (
    Cell("none", bundles=0.0),
    Cell("transaction bundles"),
    Cell("+ crash 2 %/page", crashes=0.02),
    Cell("+ 2 nodes, ±1.5 s", Hazards(node_skew=NODES)),
    Cell("in-flight commits ≤ 100 s", Hazards(late_commits=100)),
    Cell("60 s search reuse", Hazards(reuse_searches=60)),
    Cell("all", Hazards(node_skew=NODES, late_commits=100, reuse_searches=60), crashes=0.02),
)
"""Those of SYNC §1.4."""
FURTHER = (
    Cell(
        "odd pages",
        Hazards(
            endless_next=True,
            empty_page_first=True,
            lying_totals=True,
            subsetted=0.05,
            unknown_elements=True,
            absolute_references=True,
        ),
    ),
    Cell("opaque versions, 2 nodes", Hazards(opaque_versions=True, node_skew=NODES)),
    Cell("pages expire", Hazards(expired_pages=0.3)),
    Cell("index lags 30 s", Hazards(lagging_index=30, node_skew=NODES)),
    Cell("whole seconds, frozen pages", Hazards(whole_seconds=True, snapshot_pages=False)),
    Cell("clock jumps", Hazards(), jumps=(90.0, -300.0, 600.0, -600.0)),
    Cell("restored from a backup", Hazards(), restored=True),
)
"""The other hazards, on top of bundles."""
CAUGHT: dict[str, tuple[Naive, ...]] = {
    "none": (OWN_CLOCK,),
    "transaction bundles": (NEWEST, OWN_CLOCK),
    "+ crash 2 %/page": (NEWEST, OWN_CLOCK),
    "+ 2 nodes, ±1.5 s": (NEWEST, OWN_CLOCK, NO_OVERLAP),
    "in-flight commits ≤ 100 s": (NEWEST, OWN_CLOCK, NO_OVERLAP, SHORT),
    "60 s search reuse": (NEWEST, OWN_CLOCK),
    "all": NAIVE,
}
"""Where a naive rule must lose something, else the matrix proves nothing."""


@dataclass(frozen=True, slots=True)
class Job:
    cell: Cell
    seed: int
    rule: Naive | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One cell under one rule."""

    cell: str
    rule: str
    outcomes: tuple[Outcome, ...]

    @property
    def lossy(self) -> int:
        return sum(one.missed > 0 for one in self.outcomes)

    @property
    def lossy_compared(self) -> int:
        return sum(one.missed_compared > 0 for one in self.outcomes)

    @property
    def text(self) -> str:
        outs = self.outcomes
        return (
            f"{self.cell:28} {self.rule:11} {self.lossy:>4}/{len(outs):<4} {median(o.missed for o in outs):>7.0f}"
            f" {self.lossy_compared:>4}/{len(outs):<4}"
            f" {median(o.ghosts for o in outs):>7.0f} {max(o.ghosts_compared for o in outs):>7}"
            f" {median(o.rows for o in outs):>7.0f}"
        )


HEAD = f"{'cell':28} {'rule':11} {'lossy':>9} {'missed':>7} {'compared':>9} {'ghosts':>7} {'after':>7} {'rows':>7}"


def run(job: Job) -> Outcome:
    """One simulated hour."""
    simulation = Simulation(job.cell, job.seed, job.rule)
    with simulation.client as client:
        return simulation.run(LightStation(client, PLAN, simulation.clock, job.cell.page))


def run_all(jobs: Sequence[Job], workers: int) -> Iterator[Outcome]:
    """Outcomes in the order of the jobs, as they come."""
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(run, jobs)


def told(jobs: Sequence[Job], outcomes: Iterable[Outcome]) -> list[Line]:
    """Print each line of the table when its last run is in: an hour of runs cut off has still said something."""
    lines: list[Line] = []
    for _, pairs in groupby(zip(jobs, outcomes, strict=True), lambda pair: (pair[0].cell, pair[0].rule)):
        done = list(pairs)
        lines += table([job for job, _ in done], [outcome for _, outcome in done])
        print(lines[-1].text, flush=True)
    return lines


def table(jobs: Sequence[Job], outcomes: Sequence[Outcome]) -> list[Line]:
    found: dict[tuple[str, str], list[Outcome]] = {}
    for job, outcome in zip(jobs, outcomes, strict=True):
        rule = job.rule.name if job.rule else "ours"
        found.setdefault((job.cell.name, rule), []).append(outcome)
    return [Line(cell, rule, tuple(outs)) for (cell, rule), outs in found.items()]


def faults(lines: Iterable[Line]) -> list[str]:
    """What fails the matrix."""
    wrong: list[str] = []
    for line in lines:
        if line.rule == "ours":
            wrong += [f"{line.cell}: ours missed in {line.lossy} runs"] if line.lossy else []
            ghosts = sum(one.ghosts_compared > 0 for one in line.outcomes)
            wrong += [f"{line.cell}: ghosts in {ghosts} runs after a manifest"] if ghosts else []
        elif any(rule.name == line.rule for rule in CAUGHT.get(line.cell, ())) and not line.lossy:
            wrong.append(f"{line.cell}: the rule {line.rule!r} survived")
        wrong += [f"{line.cell}: {line.rule} missed after a manifest"] if line.lossy_compared else []
    return wrong


def jobs_of(runs: int, naive_runs: int, cells: str = "") -> list[Job]:
    """cells: beginnings of names, with commas between; '' for every cell."""
    some = tuple(cells.split(","))
    ours = [Job(cell, seed) for cell in (*CELLS, *FURTHER) for seed in range(runs)]
    naive = [Job(cell, seed, rule) for cell in CELLS for rule in NAIVE for seed in range(naive_runs)]
    return [job for job in ours + naive if job.cell.name.startswith(some)]


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.hazards.matrix")
    parser.add_argument("--runs", type=int, default=200, help="of our rule, per cell")
    parser.add_argument("--naive-runs", type=int, default=0, help="of each naive rule, per cell")
    parser.add_argument("--cells", default="", help="beginnings of names, with commas between")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    jobs = jobs_of(given.runs, given.naive_runs or min(30, given.runs), given.cells)
    begun = time.monotonic()
    print(HEAD, flush=True)
    lines = told(jobs, run_all(jobs, given.workers))
    wrong = faults(lines)
    print(f"{len(jobs)} runs in {time.monotonic() - begun:.0f} s")
    for fault in wrong:
        print(f"FAILED: {fault}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
