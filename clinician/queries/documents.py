"""The documents of a patient: what each is, who added it, and where its content is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from clinician import texts
from clinician.cache.attachments import FileRow, FileState
from clinician.fhir import codes, read
from clinician.fhir.documents import Attached, attached
from clinician.queries.patients import name_of
from clinician.queries.query import Cached, Raw, Reading, RowState, query
from clinician.queries.wording import moment_text

_ = texts.translator("queries")
MOST: Final = 200
"""The newest documents that are listed."""
MEBIBYTE: Final = 1024 * 1024


class Place(StrEnum):
    """Where the content of a document is."""

    RECORD = "record"
    COMING = "coming"
    HERE = "here"
    WAITING = "waiting"
    REFUSED = "refused"
    SENT = "sent"
    WRONG = "wrong"
    ABSENT = "absent"
    ELSEWHERE = "elsewhere"


OPENABLE: Final = frozenset({Place.HERE, Place.WAITING, Place.REFUSED, Place.SENT})
_PLACES: Final = {
    FileState.WAITING: Place.WAITING,
    FileState.REFUSED: Place.REFUSED,
    FileState.SENT: Place.SENT,
    FileState.WANTED: Place.COMING,
    FileState.HERE: Place.HERE,
    FileState.WRONG: Place.WRONG,
    FileState.ABSENT: Place.ABSENT,
}


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """One document. key: its DocumentReference. when: for sorting; state: of the act that made it.

    place_text says in words where the content is; help_text what that means and what to do.
    """

    key: str
    when: datetime | None
    when_text: str
    title: str
    kind_text: str
    author: str
    size_text: str
    content_type: str
    place: Place
    place_text: str
    help_text: str
    state: RowState
    op_id: str
    is_withdrawn: bool
    about_text: str


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a document, proved. content None: it is being fetched and comes by itself.

    showable: a picture or a text, by its own bytes. ending: '.jpg' and the like, for a copy.
    """

    document_ref: str
    title: str
    content_type: str
    content: bytes | None
    showable: bool = False
    ending: str = ""


@query(watches=("DocumentReference", "Attachment", "Outbox", "Practitioner"), audit="patient_ref")
def patient_documents(reading: Reading, *, patient_ref: str) -> tuple[DocumentRow, ...]:
    """The documents of a patient, newest first; notes are not among them."""
    files = {row.ref: row for row in reading.attachments(patient_ref)}
    found = reading.find("DocumentReference", patient=patient_ref, descending=True)
    kept = [(one, told) for one in found if (told := document_in(one.raw)) is not None][:MOST]
    authors = {read.ref_at(one.raw, "author") for one, _told in kept}
    names = {ref: name_of(held.raw) for ref, held in reading.get_many(authors - {""}).items()}
    return tuple(_row(reading, one, told, files.get(told.ref), names) for one, told in kept)


def document_in(raw: Raw) -> Attached | None:
    """The content of a DocumentReference that is a document; None for a note (words in the resource)."""
    told = attached(raw)
    if told is None or read.code_in(raw, "type", codes.CODE_NOTE):
        return None
    if told.inside is not None:
        return None if told.content_type.startswith("text/plain") else told
    return told if told.ref or read.value_at(raw, "content.attachment.url") else None


def _row(
    reading: Reading, one: Cached, told: Attached, file: FileRow | None, names: Mapping[str, str]
) -> DocumentRow:
    when = read.when_at(one.raw, "date")
    withdrawn = one.raw.get("status") == "entered-in-error"
    place = _place(told, file)
    size = file.size if file is not None else told.size
    return DocumentRow(
        key=one.ref,
        when=when,
        when_text=moment_text(when) if when is not None else "",
        title=told.title or _("Without a name"),
        kind_text=read.text_of(one.raw.get("type")) or _("Document"),
        author=names.get(read.ref_at(one.raw, "author"), ""),
        size_text=size_text(size),
        content_type=told.content_type,
        place=place,
        place_text=_("withdrawn") if withdrawn else place_text(place, file, one.state),
        help_text=read.text_at(one.raw, "description") if withdrawn else _help(place, file),
        state=one.state,
        op_id=file.op_id if file is not None else "",
        is_withdrawn=withdrawn,
        about_text=_about(reading, one.raw),
    )


def _about(reading: Reading, raw: Raw) -> str:
    """The note it was added to, by when that was written."""
    ref = read.ref_at(raw, "relatesTo.target")
    note = reading.get(ref) if ref else None
    when = read.when_at(note.raw, "date") if note is not None else None
    return _("to the note of {when}", when=moment_text(when)) if when is not None else ""


def _place(told: Attached, file: FileRow | None) -> Place:
    if told.inside is not None:
        return Place.HERE
    if not told.ref:
        return Place.ELSEWHERE
    return Place.RECORD if file is None else _PLACES[file.state]


def size_text(size: int) -> str:
    """'412 kB', '3.2 MB'; '' where it is not known."""
    if size < 0:
        return ""
    if size < MEBIBYTE:
        return _("{n} kB", n=max(1, round(size / 1024)))
    return _("{n} MB", n=f"{size / MEBIBYTE:.1f}".replace(".", _.c("decimal sign", ".")))


def progress_text(file: FileRow) -> str:
    """'12 of 50 MB', '' before there is anything to tell."""
    if not file.done or file.size < MEBIBYTE:
        return ""
    return _("{done} of {all} MB", done=round(file.done / MEBIBYTE), all=max(1, round(file.size / MEBIBYTE)))


def place_text(place: Place, file: FileRow | None, state: RowState) -> str:
    """Where the content is, in a few words."""
    progress = progress_text(file) if file is not None else ""
    match place:
        case Place.WAITING:
            return _("waiting to be sent") + (f" · {progress}" if progress else "")
        case Place.COMING:
            return _("being fetched") + (f" · {progress}" if progress else "")
        case Place.SENT if state is RowState.REFUSED:
            return _("refused by the record")
        case Place.SENT:
            return _("sent") if state is RowState.CONFIRMED else _("sent, the document follows")
    return {
        Place.RECORD: _("at the record"),
        Place.HERE: _("on this PC"),
        Place.REFUSED: _("refused by the record"),
        Place.WRONG: _("does not match"),
        Place.ABSENT: _("not at the record"),
        Place.ELSEWHERE: _("in another system"),
    }[place]


def _help(place: Place, file: FileRow | None) -> str:
    issue = file.last_issue if file is not None else ""
    match place:
        case Place.RECORD:
            return _("Open it to have it fetched from the record.")
        case Place.COMING:
            return _("It is being fetched and is shown as soon as it is here and proved.")
        case Place.HERE | Place.SENT:
            return ""
        case Place.WAITING:
            told = _("It is safe on this PC and is sent by itself. Others see it when it has been sent.")
            return f"{told} {issue}".strip()
        case Place.REFUSED:
            told = _("The record did not take the content. It is kept here. Send it again or withdraw it.")
            return f"{told} {issue}".strip()
        case Place.WRONG:
            return _(
                "What the record sent is not what the document says it is, so it is not shown. Tell whoever "
                "added it, or support. Open it to fetch it once more."
            )
        case Place.ABSENT:
            told = _("The record does not hand out the content. Open it to ask once more.")
            return f"{told} {issue}".strip()
        case Place.ELSEWHERE:
            return _("The content lies in another system and cannot be shown here.")
