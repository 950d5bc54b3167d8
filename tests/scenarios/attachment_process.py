"""One workstation that sends or fetches one document, as a process: `… attachment_process FOLDER URL`.

Takes one JSON object a line on stdin, answers one a line on stdout, with the most memory it took meanwhile.
"""

from __future__ import annotations

import json
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

from clinician.access.decision import Decision
from clinician.attaching import Documents
from clinician.cache.attachments import FileState
from clinician.cache.open import open_cache
from clinician.clock import SystemClock
from clinician.commands.bus import CommandBus
from clinician.commands.documents import AttachDocument
from clinician.events import Events
from clinician.record.client import RecordClient
from clinician.sync.engine import SyncEngine
from clinician.sync.plan import make_plan
from clinician.texts import Text
from tests.clinician.sync.files import DOCUMENT_RULES, WHO, document_of
from tests.clinician.sync.world import KEY, WORKPLACE
from tests.scenarios.processes import most_memory, until

ALLOWED = Decision(True, Text("access", ""))


class Desk:
    """Cache, engine and documents; stepped, with no thread but the writer's."""

    def __init__(self, folder: str, url: str) -> None:
        clock, events = SystemClock(), Events()
        self.cache = open_cache(Path(folder), KEY, clock=clock, events=events)
        plan = make_plan(DOCUMENT_RULES, workplace_ref=WORKPLACE)
        self.engine = SyncEngine(self.cache, RecordClient(url), plan, clock=clock, events=events)
        self.bus = CommandBus(self.cache, clock, lambda raw: [], lambda who, action, ref: ALLOWED)
        self.documents = Documents(self.cache, self.bus, lambda: WHO, clock, self.engine.attachments.limits)
        for _ in range(2):
            self.engine.step()

    def answer(self, asked: dict[str, Any]) -> Any:
        match asked["do"]:
            case "send":
                return self._send(Path(asked["file"]), asked["patient"])
            case "fetch":
                return self._fetch(asked["document"])
            case "read":
                content = self.documents.read(asked["document"]).content
                return sha256(content).hexdigest() if content else ""
        raise ValueError(asked["do"])

    def _send(self, file: Path, patient_ref: str) -> str:
        taken = self.documents.stage(file)
        done = self.bus.run(AttachDocument(patient_ref, "Sår", "wound-photo", taken), WHO)
        self.documents.settle(taken)
        self._until(FileState.SENT)
        self.engine.step()
        return document_of(done)

    def _fetch(self, document_ref: str) -> bool:
        asked = self.documents.read(document_ref)
        self._until(FileState.HERE)
        return asked.content is None

    def _until(self, state: FileState) -> None:
        def is_so() -> bool:
            self.engine.step()
            rows = self.cache.writer.run(lambda writing: list(writing.attachments.in_state(*FileState)))
            return [row.state for row in rows] == [state]

        until(is_so, 60, state)

    def close(self) -> None:
        self.engine.stop()
        self.cache.close()


def main() -> None:
    desk = Desk(*sys.argv[1:3])
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        with most_memory() as memory:
            answer = desk.answer(asked)
        print(json.dumps({"answer": answer, "grew": memory.grew}), flush=True)
    desk.close()


if __name__ == "__main__":
    main()
