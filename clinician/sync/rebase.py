"""Makes an act anew on what the record holds now: a new act with bytes of its own, the old one superseded."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import orjson

from clinician.cache.acts import ActRow, ActState, Entry, NewAct
from clinician.cache.writing import Writing
from clinician.errors import ClinicianError
from clinician.fhir.bundles import slices
from clinician.fhir.reference import Raw, relative
from clinician.fhir.times import earliest_or_none, to_instant
from clinician.record.client import form
from clinician.sync.classes import FACTS
from clinician.sync.line import Line

_AGENT: Final = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"


@dataclass(frozen=True, slots=True)
class Moved:
    """What a resource becomes, and the record's version it now stands on (None: it must be new)."""

    raw: Raw
    base: Raw | None
    version: str | None


def rebased(
    writing: Writing,
    act: ActRow,
    entries: Sequence[Entry],
    moved: Mapping[str, Moved],
    now: datetime,
    by: str = "",
) -> ActRow:
    """Queue the act again on fresh versions. Dependants follow the new one. The old one must stand still.

    Entries not in `moved` keep their base; acts made upon this one are rewired by `supersede`.
    """
    fresh = tuple(_entry(entry, moved.get(entry.ref)) for entry in entries)
    return replace_act(writing, act, fresh, now, by)


def _entry(entry: Entry, moved: Moved | None) -> Entry:
    if moved is None:
        return replace(entry, version_after=None)
    return Entry(entry.ref, moved.raw, moved.version, None, moved.base, None)


def replace_act(
    writing: Writing, act: ActRow, entries: Sequence[Entry], now: datetime, by: str = ""
) -> ActRow:
    """A new queued act in place of `act`: same person, label and patient, its own id and Provenance.

    by: 'Practitioner/…' who decided that it goes on; named in the Provenance beside the author.
    """
    op_id = str(uuid.uuid4())
    provenance = dict(writing.outbox.provenance(act.op_id))
    provenance.pop("meta", None)
    provenance |= {
        "id": op_id,
        "recorded": to_instant(now),
        "target": [{"reference": entry.ref} for entry in entries],
    }
    if by:
        decider = {"type": {"coding": [{"system": _AGENT, "code": "verifier"}]}, "who": {"reference": by}}
        provenance["agent"] = [*provenance["agent"], decider]
    for entry in entries:
        writing.put_overlay_beneath(entry.ref, op_id, entry.raw, in_place_of=act.op_id)
    new = writing.outbox.insert(
        NewAct(
            op_id=op_id,
            group=act.group,
            kind=act.kind,
            aggregate=act.aggregate,
            patient_ref=act.patient_ref,
            who_ref=act.who_ref,
            who_name=act.who_name,
            workplace_ref=act.workplace_ref,
            label=act.label,
            created=act.created,
            provenance=provenance,
            entries=tuple(entries),
            corrects=act.corrects,
        ),
        state=ActState.QUEUED,
    )
    writing.outbox.supersede(act.op_id, op_id)
    return new


def facts_of(writing: Writing, act: ActRow) -> tuple[Entry, ...]:
    """What has happened and nobody disputes: sent whatever becomes of the rest of the act."""
    disputed = {row.ref for row in writing.conflicts.rows(act.op_id, open_only=False)}
    return tuple(
        replace(entry, version_after=None)
        for entry in writing.outbox.entries(act.op_id)
        if entry.is_create and entry.ref.partition("/")[0] in FACTS and entry.ref not in disputed
    )


def author_of(line: Line, ref: str, theirs: Raw | None) -> tuple[str, datetime | None]:
    """Who made the version `theirs` and when, by the Provenance that came with it; ('', None) if unsaid.

    A transaction gives its resources one stamp; a Provenance of another stamp tells of another version.
    Used in words only; no rule depends on it.
    """
    meta = (theirs or {}).get("meta", {})
    try:
        query = form([("target", ref), ("_sort", "-_lastUpdated"), ("_count", "50")])
        page = slices(line.client.search("Provenance", query).body)
    except ClinicianError:
        return "", None
    for raw in (orjson.loads(entry.body) for entry in page.entries):
        if _tells_of(raw, f"{ref}/_history/{meta.get('versionId')}", meta.get("lastUpdated")):
            return _agent(raw)
    return "", None


def _tells_of(provenance: Raw, version_ref: str, stamp: object) -> bool:
    targets = [str(target.get("reference", "")) for target in provenance.get("target", ())]
    if any(target.endswith(version_ref) for target in targets):
        return True
    return stamp is not None and provenance.get("meta", {}).get("lastUpdated") == stamp


def _agent(raw: Raw) -> tuple[str, datetime | None]:
    agents = raw.get("agent") or [{}]
    who = agents[0].get("who", {}) if isinstance(agents[0], dict) else {}
    name = str(who.get("display") or relative(str(who.get("reference", ""))))
    return name, earliest_or_none(raw.get("recorded"))
