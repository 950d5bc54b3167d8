"""Systems, codes and extension addresses used across rooms. Norwegian systems: see docs/record-model.md.

Addresses under clinician.example are this product's own (RFC 2606 reserves the name).
"""

from __future__ import annotations

from typing import Final

_BASE: Final = "https://clinician.example/fhir"

# identity (source: HL7Norway basisprofiler-r4 NamingSystem, 2025-10-31)
FNR: Final = "urn:oid:2.16.578.1.12.4.1.4.1"
DNR: Final = "urn:oid:2.16.578.1.12.4.1.4.2"
FHN: Final = "urn:oid:2.16.578.1.12.4.1.4.3"
HPR: Final = "urn:oid:2.16.578.1.12.4.1.4.4"
ORGNR: Final = "urn:oid:2.16.578.1.12.4.1.4.101"

# Norwegian code systems (Volven)
PROFESSION: Final = "urn:oid:2.16.578.1.12.4.1.1.9060"
"""9060 category of health personnel: SP nurse, HF helsefagarbeider, LE doctor, FT physiotherapist."""
KPR_SERVICE: Final = "urn:oid:2.16.578.1.12.4.1.1.9151"

# international
SNOMED: Final = "http://snomed.info/sct"
LOINC: Final = "http://loinc.org"
UCUM: Final = "http://unitsofmeasure.org"
ACT_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
OBSERVATION_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
FLAG_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/flag-category"
ALLERGY_CLINICAL: Final = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
CONDITION_CLINICAL: Final = "http://terminology.hl7.org/CodeSystem/condition-clinical"
PARTICIPANT_TYPE: Final = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"

# this product's code systems
CODE_COMPETENCE: Final = f"{_BASE}/CodeSystem/competence"
"""medication, insulin, injection, wound, catheter, palliative"""
CODE_FUNCTION: Final = f"{_BASE}/CodeSystem/staff-function"
"""coordinator, superuser, case-worker, therapist"""
CODE_UNIT: Final = f"{_BASE}/CodeSystem/unit-kind"
"""homecare-zone, ward, nursing-home, physio, case-office, mental-health, municipality"""
CODE_TASK: Final = f"{_BASE}/CodeSystem/task-kind"
"""measure (in a visit), follow-up, call-next-of-kin, try-again, reply, sync-conflict, reassignment-notice"""
CODE_MEASURE: Final = f"{_BASE}/CodeSystem/measure"
"""morning-care, insulin, medication, blood-pressure, weight, wound, stockings, meal, shower, eye-drops,
safety-visit …"""
CODE_NOT_DONE: Final = f"{_BASE}/CodeSystem/not-done-reason"
"""refused, not-home, postponed, not-needed, other"""
CODE_CANCEL: Final = f"{_BASE}/CodeSystem/cancel-reason"
"""moved (a new appointment replaces it), by-user, by-next-of-kin, by-service, hospital, died"""
CODE_FLAG: Final = f"{_BASE}/CodeSystem/flag"
"""fall-risk, infection, two-persons, access, wish, new-user, pet, smoker"""
CODE_NOTE: Final = f"{_BASE}/CodeSystem/note-kind"
"""daily-note, visit-note, handover"""
CODE_PRACTICE: Final = f"{_BASE}/CodeSystem/practice"
"""meta.tag practice: a synthetic person or anything about one"""

# this product's extensions (all simple, value[x] named)
EXT_WINDOW_START: Final = f"{_BASE}/StructureDefinition/visit-window-start"
"""Appointment, valueDateTime: earliest start"""
EXT_WINDOW_END: Final = f"{_BASE}/StructureDefinition/visit-window-end"
"""Appointment, valueDateTime: latest start"""
EXT_FIXED_TIME: Final = f"{_BASE}/StructureDefinition/visit-fixed-time"
"""Appointment, valueBoolean: the start may not be moved"""
EXT_STAFF_COUNT: Final = f"{_BASE}/StructureDefinition/visit-staff-count"
"""Appointment, valuePositiveInt: persons needed at once (absent = 1)"""
EXT_COMPETENCE: Final = f"{_BASE}/StructureDefinition/visit-competence"
"""Appointment, valueCoding (repeats): CODE_COMPETENCE, or PROFESSION where a profession is demanded"""
EXT_WISH: Final = f"{_BASE}/StructureDefinition/visit-staff-gender-wish"
"""Appointment, valueCode male | female: the user's wish, a soft rule unless EXT_WISH_FIRM"""
EXT_WISH_FIRM: Final = f"{_BASE}/StructureDefinition/visit-wish-firm"
"""Appointment, valueBoolean: the wish is a decision, not a preference"""
EXT_ROUTE: Final = f"{_BASE}/StructureDefinition/visit-route"
"""Appointment, valueReference Schedule: the route (one person's working day) it lies on"""
EXT_ROUTE_ORDER: Final = f"{_BASE}/StructureDefinition/visit-route-order"
"""Appointment, valuePositiveInt: order on the route"""
EXT_TRAVEL: Final = f"{_BASE}/StructureDefinition/visit-travel-minutes"
"""Appointment, valuePositiveInt: planned minutes from the visit before it"""
EXT_REPLACES: Final = f"{_BASE}/StructureDefinition/visit-replaces"
"""Appointment, valueReference Appointment: the moved visit this one stands for"""
EXT_MOVE_REASON: Final = f"{_BASE}/StructureDefinition/visit-move-reason"
"""Appointment, valueString: why it was given to somebody else"""
EXT_GRANTED: Final = f"{_BASE}/StructureDefinition/granted-minutes-per-week"
"""ServiceRequest, valueDecimal: minutes a week in the decision (vedtak)"""
EXT_ACCESS: Final = f"{_BASE}/StructureDefinition/access-detail"
"""Flag with CODE_FLAG access, valueString: how to get in. Sensitive: on demand, each reading logged"""
EXT_GEO: Final = "http://hl7.org/fhir/StructureDefinition/geolocation"
"""Address: latitude, longitude (decimal) as sub-extensions"""
EXT_ROOM: Final = f"{_BASE}/StructureDefinition/room"
"""EpisodeOfCare, valueString: the room of a resident"""
EXT_PHOTO_HUE: Final = f"{_BASE}/StructureDefinition/practice-avatar-hue"
