"""Who did it: the Provenance that travels in the same transaction as what was done."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from typing import Final

import orjson

from clinician.access.who import Who
from clinician.cache.outbox import as_sent
from clinician.cache.reading import Raw
from clinician.commands.act import Change
from clinician.fhir.reference import ref_of
from clinician.fhir.times import to_instant

_OPERATION: Final = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
_AGENT: Final = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_SIGNATURE: Final = {"system": "urn:iso-astm:E1762-95:2013", "code": "1.2.840.10065.1.12.1.1"}
"""The author's signature (FHIR R4, value set signature-type)."""


def digest(raws: Iterable[Raw]) -> str:
    """SHA-256 over what is sent, keys in order, in base64. The same resources give the same digest."""
    whole = sha256()
    for raw in raws:
        whole.update(orjson.dumps(as_sent(raw), option=orjson.OPT_SORT_KEYS))
        whole.update(b"\n")
    return base64.b64encode(whole.digest()).decode("ascii")


def provenance(op_id: str, changes: tuple[Change, ...], who: Who, when: datetime) -> Raw:
    """Provenance/{op_id}: agent, time, targets and the digest of what was signed."""
    author = {"reference": who.practitioner_ref, "display": who.name}
    agent: Raw = {"type": {"coding": [{"system": _AGENT, "code": "author"}]}, "who": author}
    if who.workplace_ref:
        agent["onBehalfOf"] = {"reference": who.workplace_ref}
    is_new = all(change.base is None for change in changes)
    return {
        "resourceType": "Provenance",
        "id": op_id,
        "target": [{"reference": ref_of(change.raw)} for change in changes],
        "recorded": to_instant(when),
        "activity": {"coding": [{"system": _OPERATION, "code": "CREATE" if is_new else "UPDATE"}]},
        "agent": [agent],
        "signature": [
            {
                "type": [_SIGNATURE],
                "when": to_instant(when),
                "who": author,
                "targetFormat": "application/fhir+json",
                "data": digest(change.raw for change in changes),
            }
        ],
    }
