"""Notes about the user, and ready sentences for new ones."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Final

from clinician import texts
from clinician.fhir import codes, read
from clinician.queries.documents import document_in
from clinician.queries.query import Raw, Reading, query
from modules.homecare.queries.loading import names_of
from modules.homecare.rows import NoteRow, QuickText
from modules.homecare.words import when_text

L = texts.lazy("homecare")
_ = texts.translator("homecare")

NOTES: Final = 100
"""The newest notes the user page shows."""
_KINDS: Final = {"visit-note": L("Visit note"), "daily-note": L("Daily note"), "handover": L("Handover")}
_QUICK: Final = (
    ("as-planned", L("As planned"), L("Visit carried out as planned. No change since last time.")),
    ("ate-well", L("Ate well"), L("Ate and drank well.")),
    ("ate-little", L("Ate little"), L("Ate and drank little. Observed further.")),
    ("slept-well", L("Slept well"), L("Says the night was good.")),
    ("slept-badly", L("Slept badly"), L("Says the night was bad.")),
    ("pain", L("Pain"), L("Says it hurts. Where and how much: ")),
    ("skin", L("Skin"), L("Skin looked over: whole and dry.")),
    ("wound", L("Wound"), L("Wound cleaned and dressed. Looks: ")),
    ("dizzy", L("Dizzy"), L("Dizzy when rising. Helped to sit. Fall risk discussed.")),
    ("mood", L("Mood"), L("Seems low today. Talked together.")),
    ("kin", L("Talked with next of kin"), L("Talked with next of kin about: ")),
    ("doctor", L("Talked with the doctor"), L("Talked with the doctor about: ")),
)


@query(watches=())
def quick_texts(reading: Reading) -> tuple[QuickText, ...]:
    """Short sentences a note may start from, in the language in force. Fixed; nothing is read."""
    return tuple(QuickText(key, label.render(), text.render()) for key, label, text in _QUICK)


def note_text(document: Raw) -> str:
    """The words of a note. An attachment that is not text, or cannot be read, is said to be so."""
    attachment = read.value_at(document, "content.attachment")
    attachment = attachment if isinstance(attachment, dict) else {}
    data, kind = attachment.get("data"), str(attachment.get("contentType", ""))
    if not kind.startswith("text/plain") or not isinstance(data, str):
        return _("Attached document: {title}", title=attachment.get("title") or kind or _("unknown"))
    try:
        return base64.b64decode(data, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return _("This text cannot be read.")


def note_rows(reading: Reading, patient_ref: str, now: datetime) -> tuple[NoteRow, ...]:
    """Notes, newest first; withdrawn ones stay and say so."""
    every = reading.find("DocumentReference", patient=patient_ref, descending=True, limit=2 * NOTES)
    found = tuple(one for one in every if document_in(one.raw) is None)[:NOTES]
    names = names_of(reading, (read.ref_at(one.raw, "author") for one in found), (one.raw for one in found))
    rows = []
    for one in found:
        kind = read.code_in(one.raw, "type", codes.CODE_NOTE)
        is_withdrawn = one.raw.get("status") == "entered-in-error"
        reason = read.text_at(one.raw, "description") if is_withdrawn else ""
        words = note_text(one.raw)
        rows.append(
            NoteRow(
                key=one.ref,
                when_text=when_text(read.when_at(one.raw, "date"), now),
                author=names.get(read.ref_at(one.raw, "author"), ""),
                kind_text=_KINDS[kind].render() if kind in _KINDS else read.text_of(one.raw.get("type")),
                text=f"{reason}\n{words}" if reason else words,
                state=one.state,
                is_withdrawn=is_withdrawn,
            )
        )
    return tuple(rows)
