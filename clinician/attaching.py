"""Documents of a workstation: taking files in, handing their content out, asking for what is not here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path
from typing import Final

from clinician import texts
from clinician.access.who import Who
from clinician.cache.attachment_files import Taken, read_file
from clinician.cache.attachments import READABLE, FileRow, FileState, Wanted
from clinician.cache.kinds import ENDINGS, SHOWABLE, kind_of, matches
from clinician.cache.open import Cache
from clinician.cache.reading import Raw
from clinician.cache.sealed import Unsealable
from clinician.cache.writing import Writing
from clinician.clock import Clock
from clinician.commands.bus import CommandBus
from clinician.errors import UserProblem
from clinician.fhir.documents import Attached, attached
from clinician.fhir.read import patient_ref_of
from clinician.queries.documents import Content
from clinician.settings import Declared, Settings
from clinician.sync.attachments import MEBIBYTE, FileLimits

L = texts.lazy("core")
LARGEST: Final = Declared("attachments.largest_mb", "number", 50, minimum=1, maximum=64, level="municipality")
BUDGET: Final = Declared(
    "attachments.budget_mb", "number", 1024, minimum=16, maximum=65536, level="workplace"
)


def limits_of(settings: Settings) -> FileLimits:
    """How large a document may be and how much is kept, as this municipality has decided."""
    for declared in (LARGEST, BUDGET):
        settings.declare(declared)
    largest, budget = (int(settings.get(one.key) * MEBIBYTE) for one in (LARGEST, BUDGET))
    return FileLimits(largest, budget)


class Documents:
    """For whoever is signed in. Any thread but the window's: files are read and sealed here."""

    def __init__(
        self, cache: Cache, bus: CommandBus, person: Callable[[], Who], clock: Clock, limits: FileLimits
    ) -> None:
        self._cache, self._bus, self._person, self._clock = cache, bus, person, clock
        self._limits = limits

    # in

    def stage(self, source: Path | bytes) -> Taken:
        """Take a file, or a pasted picture, in; AttachDocument then names it, and `settle` ends the matter.

        Raises UserProblem (too large, empty, a kind not taken, unreadable) or DiskFull; then nothing is kept.
        """
        self._person()
        pieces: Iterable[bytes] = read_file(source) if isinstance(source, Path) else (source,)
        name_key = self._cache.writer.run(lambda writing: writing.attachments.name_key(), durable=True)
        return self._cache.files.stage(pieces, limit=self._limits.largest, name_key=name_key)

    def settle(self, taken: Taken) -> None:
        """The act is written, or will never be: from now on the row alone says whether the file stays."""
        self._cache.files.release(taken.name)

    # out

    def read(self, document_ref: str) -> Content:
        """The content of a document; the reading is logged. What is not here is asked for.

        Raises UserProblem when there is nothing to show: withdrawn, in another system, damaged.
        """
        with self._cache.reading() as reading:
            found = reading.get(document_ref)
        told = attached(found.raw) if found is not None else None
        if found is None or told is None:
            raise UserProblem(L("This document is no longer on this PC. Synchronise and try again."))
        self._may_show(found.raw)
        patient_ref = patient_ref_of(found.raw)
        self._bus.record_read(self._person(), patient_ref, f"document {document_ref}")
        if told.inside is not None:
            return _content(document_ref, told, told.inside)
        if not told.ref:
            raise UserProblem(L("This document lies in another system. It cannot be shown here."))
        return self._content_of(document_ref, told, patient_ref)

    def _may_show(self, raw: Raw) -> None:
        if raw.get("status") == "entered-in-error":
            raise UserProblem(L("This document was withdrawn and is not shown."))

    def _content_of(self, document_ref: str, told: Attached, patient_ref: str) -> Content:
        now = self._clock.now()
        wanted = Wanted(
            told.ref, document_ref, patient_ref, told.content_type, told.size, told.sha1, told.sha256
        )

        def work(writing: Writing) -> tuple[FileRow | None, bytes | None, bytes]:
            if writing.attachments.want(wanted, now) not in READABLE:
                return None, None, b""
            return (writing.attachments.get(told.ref), *writing.attachments.content(told.ref))

        row, content, key = self._cache.writer.run(work)
        if row is None:
            return Content(document_ref, told.title, told.content_type, None)
        try:
            whole = content if content is not None else _whole(self._cache.files.pieces(row.name, key))
        except Unsealable as fault:
            return self._damaged(wanted, row, fault)
        return _content(document_ref, told, whole)

    def _damaged(self, wanted: Wanted, row: FileRow, fault: Unsealable) -> Content:
        """A file that does not open is fetched again where that is possible, and never shown in part."""
        if row.state not in (FileState.HERE, FileState.SENT):
            raise UserProblem(
                L(
                    "The file of this document is damaged on this PC and cannot be shown. It was not yet at "
                    "the record. Withdraw the document and add it once more."
                )
            ) from fault

        def again(writing: Writing) -> None:
            writing.attachments.drop(wanted.ref)
            writing.attachments.want(wanted, self._clock.now())

        self._cache.writer.run(again)
        title, content_type = "", wanted.content_type
        return Content(wanted.document_ref, title, content_type, None)


def _whole(pieces: Iterable[bytes]) -> bytes:
    """All of it, held once: a join of the pieces would hold it twice."""
    held = BytesIO()
    for piece in pieces:
        held.write(piece)
    return held.getvalue()


def _content(document_ref: str, told: Attached, content: bytes) -> Content:
    """What it is by its own bytes: one that says it is a picture and is not, is not shown as one."""
    try:
        kind = kind_of(content)
    except UserProblem:
        return Content(document_ref, told.title, told.content_type, content)
    showable = kind in SHOWABLE and matches(told.content_type, kind)
    return Content(document_ref, told.title, kind, content, showable, ENDINGS[kind])
