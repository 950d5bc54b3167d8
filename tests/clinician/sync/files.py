"""Documents with content, put in as the command bus would, on the stations of `world`."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from pathlib import Path

from clinician.access.who import Who
from clinician.cache.attachment_files import Taken
from clinician.cache.attachments import FileRow, FileState
from clinician.commands.act import Done
from clinician.commands.bus import CommandBus
from clinician.commands.documents import AttachDocument
from clinician.fhir.documents import attached
from clinician.record.transfer import get_binary
from clinician.sync.plan import SyncRule
from tests.clinician.sync.world import (
    NURSE,
    RULES,
    WORKPLACE,
    Station,
    World,
    first,
    patient_with_visits,
    setting,
)

WHO = Who(NURSE, "PractitionerRole/r", "Nora Lie", "NL", WORKPLACE, "Sone øst")
PNG = b"\x89PNG\r\n\x1a\n"
LARGE = 3 * 1024 * 1024 + 17
DOCUMENT_RULES = (*RULES, SyncRule("DocumentReference", "", priority=45))


class Said:
    allowed = True
    reason = way_out = None


def picture(size: int = 2000, seed: int = 1) -> bytes:
    """Something that says it is a PNG."""
    return PNG + random.Random(seed).randbytes(size - len(PNG))


def pieces(content: bytes) -> Iterator[bytes]:
    for at in range(0, len(content), 300_000):
        yield content[at : at + 300_000]


class Clinic:
    """A record with one patient and stations that know documents."""

    def __init__(self, folder: Path, visits: int = 1) -> None:
        self.world = World(folder)
        self.raws = patient_with_visits(visits)
        self.patient = first(self.raws, "Patient")
        self.world.load([*setting(), *self.raws])

    def station(self, name: str = "a") -> Station:
        from clinician.sync.plan import make_plan

        made = self.world.station(name, plan=make_plan(DOCUMENT_RULES, workplace_ref=WORKPLACE))
        made.step()
        made.step()
        return made

    def stored(self, binary_ref: str) -> bytes | None:
        """What the record holds, as it is."""
        with get_binary(self.world.direct, binary_ref, content_type="image/png") as got:
            return b"".join(got.pieces) if got.status == 200 else None


def stage(station: Station, content: bytes, *, limit: int = 64 * 1024 * 1024) -> Taken:
    key = station.write(lambda writing: writing.attachments.name_key())
    return station.cache.files.stage(pieces(content), limit=limit, name_key=key)


def attach(station: Station, patient_ref: str, content: bytes, title: str = "Sår venstre legg") -> Done:
    """Stage and sign, as a person does."""
    taken = stage(station, content)
    bus = CommandBus(station.cache, station.world.clock, lambda raw: [], lambda who, action, ref: Said())
    done = bus.run(AttachDocument(patient_ref, title, "wound-photo", taken), WHO)
    station.cache.files.release(taken.name)
    return done


def document_of(done: Done) -> str:
    return next(ref for ref in done.refs if ref.startswith("DocumentReference/"))


def binary_of(station: Station, done: Done) -> str:
    raw = station.get(document_of(done))
    assert raw is not None
    told = attached(raw)
    assert told is not None
    return told.ref


def row(station: Station, ref: str) -> FileRow | None:
    found: FileRow | None = station.write(lambda writing: writing.attachments.get(ref))
    return found


def state(station: Station, ref: str) -> FileState | None:
    found = row(station, ref)
    return found.state if found is not None else None


def ask(station: Station, document_ref: str) -> None:
    """As opening a document does."""
    from clinician.sync.attachment_down import wanted_of

    def work(writing: object) -> None:
        held = writing.reading.get(document_ref)  # type: ignore[attr-defined]
        wanted = wanted_of(held)
        assert wanted is not None
        writing.attachments.want(wanted, station.world.clock.now())  # type: ignore[attr-defined]

    station.write(work)


def content(station: Station, ref: str) -> bytes:
    """What lies here of a Binary."""
    held, key = station.write(lambda writing: writing.attachments.content(ref))
    found = row(station, ref)
    assert found is not None
    return held if held is not None else b"".join(station.cache.files.pieces(found.name, key))


def files(station: Station) -> list[Path]:
    folder = station.cache.files.folder
    return sorted(folder.iterdir()) if folder.exists() else []


def new_ref() -> str:
    return f"Binary/{uuid.uuid4()}"
