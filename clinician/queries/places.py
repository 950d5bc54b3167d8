"""Workplaces of the municipality."""

from __future__ import annotations

from dataclasses import dataclass

from clinician import texts
from clinician.fhir import codes, read
from clinician.queries.query import Cached, Reading, query

_ = texts.translator("queries")


@dataclass(frozen=True, slots=True)
class WorkplaceRow:
    """One place to work. kind: code of CODE_UNIT."""

    key: str
    name: str
    kind: str
    kind_text: str
    parent_name: str


@query(watches=("Organization",))
def workplaces(reading: Reading) -> tuple[WorkplaceRow, ...]:
    """Places where people work, by name. The municipality itself is none."""
    found = {one.ref: one for one in reading.find("Organization", order="sort_key")}
    rows = (_row(one, found) for one in found.values() if one.raw.get("active") is not False)
    return tuple(row for row in rows if row.kind and row.kind != "municipality")


def _row(found: Cached, others: dict[str, Cached]) -> WorkplaceRow:
    kind = read.code_in(found.raw, "type", codes.CODE_UNIT)
    parent = others.get(read.ref_at(found.raw, "partOf"))
    return WorkplaceRow(
        found.ref,
        read.name_text(found.raw),
        kind,
        _kinds().get(kind, kind),
        read.name_text(parent.raw) if parent is not None else "",
    )


def _kinds() -> dict[str, str]:
    return {
        "homecare-zone": _("home care"),
        "ward": _("ward"),
        "nursing-home": _("nursing home"),
        "physio": _("physiotherapy"),
        "case-office": _("case office"),
        "mental-health": _("mental health"),
    }
