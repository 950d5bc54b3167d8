"""What was found about a workstation or a record, in plain words: for the doctor and for the health page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from clinician import texts
from clinician.clock import oslo
from clinician.fhir.times import parse_instant
from clinician.record.profile import (
    CAS_ROW,
    CHANGES,
    CONDITIONAL_CREATE,
    DELTA,
    IF_MATCH_0,
    IF_NONE_MATCH,
    ServerProfile,
)

_ = texts.translator("core")


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor. serious: work is not safe before it is mended."""

    title: str
    detail: str
    good: bool
    serious: bool = False


def profile_lines(found: ServerProfile) -> Iterator[Finding]:
    """What a record was found to do, in plain words."""
    words = _profile_words()
    for name, value in found.as_raw().items():
        if name in words:
            serious = name in _NEEDED and value is False
            yield Finding(words[name], _told(name, value), good=value is not False, serious=serious)
    medication = _("yes") if found.may_write else _("no, for two people could record the same dose")
    yield Finding(
        _("Medication may be recorded"), medication, good=found.may_write, serious=not found.may_write
    )


def _told(name: str, value: object) -> str:
    if name == "checked_at" and value:
        return f"{oslo(parse_instant(str(value))):%d.%m.%Y %H:%M}"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    modes = {
        ("pull", CHANGES): _("when the record tells of them"),
        ("pull", DELTA): _("by asking often"),
        ("claim", IF_NONE_MATCH): _("only the first may make it"),
        ("claim", IF_MATCH_0): _("only the first may make it, said as version 0"),
        ("claim", CONDITIONAL_CREATE): _("only the first may make it, found by its identifier"),
        ("claim", CAS_ROW): _("by a task made beforehand that only one can take"),
        ("claim", ""): _("not possible with this record"),
    }
    return modes.get((name, str(value)), str(value))


_NEEDED: Final = frozenset({"if_match_alone", "if_match_in_transaction", "transaction_atomic"})
"""Without these two nurses could record the same dose: medication is then not recorded (SYNC §1.1)."""


def _profile_words() -> dict[str, str]:
    return {
        "software": _("Program"),
        "version": _("Version"),
        "checked_at": _("Checked at"),
        "update_as_create": _("Takes new resources under our own ids"),
        "unchanged_put_keeps_version": _("Keeps the version when nothing changed"),
        "if_match_alone": _("Refuses to overwrite a newer version"),
        "if_match_in_transaction": _("Refuses to overwrite a newer version in a transaction"),
        "transaction_atomic": _("A transaction happens whole or not at all"),
        "if_none_match_star": _("Refuses to create what exists already"),
        "put_if_none_match": _("Refuses to create what exists already in a transaction"),
        "missing_put_refused": _("Refuses to change what is not there"),
        "if_match_zero": _("Takes version 0 for “must be new”"),
        "conditional_create": _("Makes one of eight equal ones sent at once"),
        "ge_inclusive": _("“Changed since” includes the moment itself"),
        "milliseconds": _("Tells times in milliseconds"),
        "no_cache": _("Searches anew when asked to"),
        "no_cache_in_batch": _("Searches anew when asked to in a batch"),
        "node_skew": _("Seconds by which its machines disagree on the time"),
        "history": _("Keeps the history of every version"),
        "history_deletes": _("Shows deletions in the history"),
        "deleted_is_gone": _("Says that a deleted resource is gone"),
        "gzip_requests": _("Takes compressed requests"),
        "largest_count": _("Largest page"),
        "change_hint": _("Tells of changes at once"),
        "websocket": _("Tells of changes by websocket"),
        "pull": _("How changes are fetched"),
        "claim": _("How two people are kept from the same dose"),
    }
