"""A whole workstation without its window as a process: `… workstation_process FOLDER URL WORKPLACE PERSON DAY`.

Takes one JSON object a line on stdin, answers one a line on stdout. Sync runs in its threads all the time.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime, time
from pathlib import Path
from typing import Any

from clinician.clock import OSLO, ShiftedClock, SystemClock
from clinician.events import Events, SyncStatus
from clinician.workstation import PRACTICE_PIN, Options, Workstation
from modules.homecare.commands import CompleteVisit, WriteNote


class Desk:
    """One person at one workstation."""

    def __init__(self, folder: str, url: str, workplace: str, person: str, day: str) -> None:
        morning = datetime.combine(datetime.fromisoformat(day), time(9), OSLO)
        clock = ShiftedClock(morning - SystemClock().now())
        self.person = person
        self.truth: list[list[Any]] = []
        events = Events()
        events.subscribe(SyncStatus, lambda s: self.truth.append([s.link, s.waiting, s.all_sent]))
        options = Options(Path(folder), record=url, workplace_ref=workplace, clock=clock, secret="test")
        self.station = Workstation.open(options, events=events)
        self.station.start_sync()

    def answer(self, asked: dict[str, Any]) -> Any:
        station = self.station
        match asked["do"]:
            case "sign in":
                station.practice = True  # the PIN of practice; the record of this scene is one
                return station.sign_in(self.person, "", PRACTICE_PIN).name
            case "visits":
                return self._visits()
            case "complete":
                return list(station.run_command(CompleteVisit(asked["ref"])).op_ids)
            case "note":
                return list(station.run_command(WriteNote(asked["patient"], asked["text"])).op_ids)
            case "get":
                with station.cache.reading() as reading:
                    found = reading.get(asked["ref"])
                    return found.raw if found else None
            case "status":
                now = station.status()
                return {
                    "link": now.link,
                    "waiting": now.waiting,
                    "all_sent": now.all_sent,
                    "conflicts": now.conflicts,
                    "refused": now.refused,
                }
            case "draft":
                station.drafts.save("note", asked["patient"], asked["text"])
                return True
            case "drafts":
                return [draft.content for draft in station.drafts.all()]
            case "states":
                with station.cache.reading() as reading:
                    acts = [reading.act(op) for op in asked["ops"]]
                    return [str(act.state) if act else "" for act in acts]
            case "truth":
                return self.truth
        raise ValueError(asked["do"])

    def _visits(self) -> list[list[str]]:
        with self.station.cache.reading() as reading:
            found = list(reading.find("Appointment", status="booked"))
        mine = []
        for cached in found:
            actors = [str(p.get("actor", {}).get("reference", "")) for p in cached.raw.get("participant", [])]
            patients = [actor for actor in actors if actor.startswith("Patient/")]
            if self.person in actors and patients and len(actors) == 2:
                mine.append([cached.ref, patients[0]])
        return mine


def main() -> None:
    desk = Desk(*sys.argv[1:6])
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        if asked["do"] == "quit":
            desk.station.close()
            print(json.dumps("closed"), flush=True)
            return
        print(json.dumps(desk.answer(asked)), flush=True)


if __name__ == "__main__":
    main()
