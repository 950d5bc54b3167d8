"""The trail of who read and who wrote: FHIR AuditEvents, queued here and sent by sync.

What is logged: pasientjournalforskriften §14 and Normen's fact sheets on logging; the fields are those of
the attest of the Norwegian trust framework: who, profession, workplace, purpose, patient, time.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Final

import orjson

from clinician.access.who import Who
from clinician.cache.reading import Raw
from clinician.cache.synced import AuditRow
from clinician.clock import Clock
from clinician.fhir import codes
from clinician.fhir.times import to_instant

READ: Final = "read"
CREATE: Final = "create"
UPDATE: Final = "update"
_ACTIONS: Final = {READ: "R", CREATE: "C", UPDATE: "U"}
_TYPE: Final = {
    "system": "http://terminology.hl7.org/CodeSystem/audit-event-type",
    "code": "rest",
    "display": "RESTful Operation",
}
_INTERACTION: Final = "http://hl7.org/fhir/restful-interaction"
_REASON: Final = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
_ROLE: Final = "http://terminology.hl7.org/CodeSystem/object-role"
_QUIET_SECONDS: Final = 15 * 60


def audit_event(
    action: str, who: Who, when: datetime, *, patient_ref: str, refs: Iterable[str] = (), what: str
) -> Raw:
    """One AuditEvent. what: the query or the kind of act, by its name in the program."""
    entities: list[Raw] = []
    if patient_ref:
        entities.append({"what": {"reference": patient_ref}, "role": {"system": _ROLE, "code": "1"}})
    entities += [{"what": {"reference": ref}} for ref in refs if ref != patient_ref]
    entities.append({"role": {"system": _ROLE, "code": "24"}, "name": what})
    return {
        "resourceType": "AuditEvent",
        "id": str(uuid.uuid4()),
        "type": _TYPE,
        "subtype": [{"system": _INTERACTION, "code": action}],
        "action": _ACTIONS[action],
        "recorded": to_instant(when),
        "outcome": "0",
        "purposeOfEvent": [{"coding": [{"system": _REASON, "code": "TREAT"}]}],
        "agent": _agents(who),
        "source": {"observer": {"display": "Clinician"}},
        "entity": entities,
    }


def _agents(who: Who) -> list[Raw]:
    person: Raw = {"who": {"reference": who.practitioner_ref}, "requestor": True}
    if who.professions:
        person["role"] = [
            {"coding": [{"system": codes.PROFESSION, "code": code}]} for code in sorted(who.professions)
        ]
    if not who.workplace_ref:
        return [person]
    return [person, {"who": {"reference": who.workplace_ref}, "requestor": False}]


def audit_row(event: Raw, when: datetime) -> AuditRow:
    """As queued."""
    return AuditRow(event["id"], when, orjson.dumps(event))


class ReadLog:
    """Says which readings are new: the same person, patient and view count once a quarter of an hour."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, str, str], float] = {}

    def is_new(self, who: Who, patient_ref: str, query_name: str) -> bool:
        """Whether this reading is to be logged; remembers it."""
        now = self._clock.monotonic()
        key = (who.practitioner_ref, patient_ref, query_name)
        with self._lock:
            before = self._seen.get(key)
            if before is not None and now - before < _QUIET_SECONDS:
                return False
            self._seen = {k: at for k, at in self._seen.items() if now - at < _QUIET_SECONDS}
            self._seen[key] = now
        return True
