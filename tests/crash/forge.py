"""Makes workstations to be killed: `python -m tests.crash.forge`. Imports once, forks for each.

Takes one JSON object a line on stdin: start (job) → pid; kill → how it died, once the child is gone; wait
(seconds) → how it died, or null. A child tells what was acknowledged in a file of its own, each line one
unbuffered write: what is in it was told before the kill, whatever came after.
"""

from __future__ import annotations

import ctypes
import gc
import json
import logging
import os
import random
import signal
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any

from clinician.errors import ClinicianError
from clinician.events import CacheChanged
from clinician.fhir.validation import prepare
from modules.homecare.commands import CompleteVisit, WriteNote
from tests.crash.disk import Disk
from tests.crash.fault_vfs import OK, FaultVfs
from tests.scenarios.workstation_process import Desk

MOST_ACTS = 60
_DIE_WITH_PARENT = 1
"""PR_SET_PDEATHSIG of Linux: no workstation goes on working after a test that was broken off."""


@dataclass(frozen=True)
class Job:
    """One life. dies: 'time' (from outside), 'write' (at the n-th write or flush of SQLite), 'sending' (n
    milliseconds after an act began to be sent), 'never' (until everything is sent)."""

    folder: str
    url: str
    workplace: str
    person: str
    day: str
    told: str
    seed: int
    dies: str = "time"
    n: int = 0


class Life:
    """A person at a workstation, working as fast as it goes."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._dice = random.Random(job.seed)
        self._told = os.open(job.told, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._drafts = 0

    def tell(self, *words: str) -> None:
        os.write(self._told, (" ".join(words) + "\n").encode())

    def live(self) -> None:
        job = self._job
        self.tell("begin")
        desk = Desk(job.folder, job.url, job.workplace, job.person, job.day)
        self.tell("open")
        if job.dies == "sending":
            desk.station.events.subscribe(CacheChanged, self._on_change)
        self._sign_in(desk)
        self.tell("signed-in")
        if job.dies == "never":
            self._drain(desk)
            return
        self._work(desk)

    def _sign_in(self, desk: Desk) -> None:
        while True:
            try:
                desk.answer({"do": "sign in"})
            except ClinicianError:
                time.sleep(0.01)
            else:
                return

    def _work(self, desk: Desk) -> None:
        patients = _patients(desk)
        while not patients:
            time.sleep(0.01)
            patients = _patients(desk)
        visits = desk.answer({"do": "visits"})
        acts = 0
        while True:
            roll = self._dice.random()
            if acts < MOST_ACTS and roll < 0.15 and visits:
                ref, _ = visits.pop(self._dice.randrange(len(visits)))
                self._tell_acts(desk.station.run_command(CompleteVisit(ref)).op_ids)
            elif acts < MOST_ACTS and roll < 0.7:
                words = f"Notat {self._dice.getrandbits(40)}"
                self._tell_acts(
                    desk.station.run_command(WriteNote(self._dice.choice(patients), words)).op_ids
                )
            else:
                self._draft(desk, patients[0])
            acts += roll < 0.7
            if acts >= MOST_ACTS:
                time.sleep(0.005)

    def _tell_acts(self, op_ids: tuple[str, ...]) -> None:
        for op_id in op_ids:
            self.tell("act", op_id)

    def _draft(self, desk: Desk, patient: str) -> None:
        number = time.time_ns()
        desk.station.drafts.save("note", patient, str(number))
        self.tell("draft", patient, str(number))

    def _drain(self, desk: Desk) -> None:
        while not desk.answer({"do": "status"})["all_sent"]:
            time.sleep(0.02)
        self.tell("sent")
        desk.station.close()
        self.tell("closed")

    def _on_change(self, event: CacheChanged) -> None:
        """An act moved: it may be leaving now. Die a moment later, the answer perhaps in flight."""
        if "Outbox" in event.types and not event.origin:
            threading.Timer(self._job.n / 1000, die).start()


def _patients(desk: Desk) -> list[str]:
    with desk.station.cache.reading() as reading:
        return sorted(cached.ref for cached in reading.find("Patient"))


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def child(job: Job) -> None:
    """Never returns."""
    life = Life(job)
    try:
        if job.dies == "write":
            with FaultVfs(Disk(), dies_at(job.n), logs=False).installed():
                life.live()
        else:
            life.live()
    except BaseException as problem:
        logging.getLogger(__name__).exception("a life ended")
        life.tell("failed", type(problem).__name__)
        os._exit(3)
    os._exit(0)


def dies_at(count: int) -> Any:
    """Killed at the n-th write or flush, before it is done."""
    left = [count]

    def fault(what: str, path: str) -> int:
        left[0] -= 1
        if left[0] <= 0:
            die()
        return OK

    return fault


class Forge:
    """Starts and ends one child at a time."""

    def __init__(self) -> None:
        self._pid = 0

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        match asked["do"]:
            case "start":
                self._pid = os.fork()
                if not self._pid:
                    if sys.platform == "linux":
                        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
                    sys.stdin.close()
                    child(Job(**asked["job"]))
                return {"pid": self._pid}
            case "kill":
                os.kill(self._pid, signal.SIGKILL)
                return {"died": os.waitpid(self._pid, 0)[1]}
            case "wait":
                return {"died": self._wait(asked["seconds"])}
        raise ValueError(asked["do"])

    def _wait(self, seconds: float) -> int | None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            if pid:
                return status
            time.sleep(0.005)
        return None


def main() -> None:
    forge = Forge()
    prepare(
        ("Appointment", "Encounter", "Task", "Observation", "Provenance", "AuditEvent", "DocumentReference")
    )
    gc.freeze()
    print(json.dumps({"ready": os.getpid()}), flush=True)
    for line in sys.stdin:
        print(json.dumps(forge.answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
