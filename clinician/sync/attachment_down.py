"""Fetches the content of one document, from where an earlier try broke off; proves it, then keeps it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

from clinician import texts
from clinician.cache.attachment_files import Intake, Taken
from clinician.cache.attachments import FileRow, FileState, Wanted
from clinician.cache.driver import room
from clinician.cache.reading import Cached, Reading
from clinician.cache.writing import Writing
from clinician.errors import UserProblem
from clinician.fhir.documents import attached
from clinician.fhir.read import patient_ref_of
from clinician.record.client import Busy
from clinician.record.transfer import Download, get_binary
from clinician.sync.attachment_up import counted
from clinician.sync.line import Line

_ = texts.translator("sync")
LARGEST: Final = 256 * 1024 * 1024
"""Bytes; whatever is larger is not fetched, whoever put it there."""
_FREE: Final = frozenset({"cancelled", "entered-in-error", "noshow"})


def wanted_of(document: Cached) -> Wanted | None:
    """What to fetch for a document; None when its content lies inside or elsewhere, or it was withdrawn."""
    found = attached(document.raw)
    if found is None or not found.ref or document.raw.get("status") == "entered-in-error":
        return None
    patient = patient_ref_of(document.raw)
    return Wanted(found.ref, document.ref, patient, found.content_type, found.size, found.sha1, found.sha256)


def wanted_today(reading: Reading, day: date) -> Iterable[Wanted]:
    """The documents of those who get a visit that day, newest first."""
    visits = reading.find("Appointment", start_from=day, start_before=day + timedelta(days=1))
    patients = {patient_ref_of(visit.raw) for visit in visits if visit.raw.get("status") not in _FREE} - {""}
    if not patients:
        return ()
    documents = reading.find("DocumentReference", patient=sorted(patients), descending=True)
    return [wanted for document in documents if (wanted := wanted_of(document)) is not None]


def prefetch(line: Line, budget: int) -> None:
    """Ask for today's documents as far as there is room; nothing is put out for them."""
    day = line.today()

    def work(writing: Writing) -> None:
        now = line.clock.now()
        held = writing.attachments.held_bytes()
        known = {row.ref for row in writing.attachments.in_state(*FileState)}
        for wanted in wanted_today(writing.reading, day):
            if wanted.ref not in known and held + max(wanted.size, 0) <= budget:
                writing.attachments.want(wanted, now)
                held += max(wanted.size, 0)

    line.write(work)


def fetch(line: Line, row: FileRow, largest: int = LARGEST) -> None:
    """Fetch and prove it. Raises Environment when the record is away or the disk full; what came is kept."""
    key, name_key = line.write(
        lambda writing: (writing.attachments.content(row.ref)[1], writing.attachments.name_key())
    )
    intake = line.cache.files.part(row.ref, key, limit=largest, name_key=name_key)
    with room():
        start = intake.resume()
    try:
        with room(), get_binary(line.client, row.ref, content_type=row.content_type, start=start) as got:
            taken = _take(line, row, got, intake)
            if taken is not None:
                _prove(line, row, taken, name_key, again=bool(got.start))
    except UserProblem:
        intake.drop()
        _mark(line, row, FileState.ABSENT, None, _("It is larger than what this program fetches."))
    finally:
        intake.leave()


def _take(line: Line, row: FileRow, got: Download, intake: Intake) -> Taken | None:
    if got.status in (403, 404, 410):
        intake.drop()
        _mark(line, row, FileState.ABSENT, got.status, "; ".join(got.answer.reasons()))
        return None
    if got.status == 416:
        intake.drop()
    if got.status not in (200, 206):
        raise Busy(got.answer)
    if got.start != intake.size:
        intake.restart()
    begun = intake.size

    def tell(done: int) -> None:
        line.cache.writer.submit(lambda writing: writing.attachments.progressed(row.ref, begun + done))

    for piece in counted(line, got.pieces, tell):
        intake.feed(piece)
    return intake.finish()


def _prove(line: Line, row: FileRow, taken: Taken, name_key: bytes, *, again: bool) -> None:
    """Keep it when it is what its document says; else say so. One that came in two goes comes anew first."""
    files = line.cache.files
    if is_what_is_said(row, taken):
        settled = files.settle(taken, name_key, row.content_type)
        try:
            line.write(lambda writing: writing.attachments.fetched(row.ref, settled), durable=True)
        finally:
            files.release(settled.name)
        return
    if taken.name:
        (files.folder / taken.name).unlink(missing_ok=True)
    if not again:
        _mark(line, row, FileState.WRONG, None, "")


def is_what_is_said(row: FileRow, taken: Taken) -> bool:
    """Whether size and hashes hold, as far as the document tells them."""
    return (
        row.size in (-1, taken.size)
        and row.sha1 in ("", taken.sha1)
        and row.sha256.lower() in ("", taken.sha256)
    )


def _mark(line: Line, row: FileRow, state: FileState, status: int | None, issue: str) -> None:
    line.write(lambda writing: writing.attachments.moved(row.ref, state, status=status, issue=issue))
