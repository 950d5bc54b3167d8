"""FHIR's invariants, written by hand where a record meets them daily.

Each rule takes a node (a well-formed object of its type) and answers the keys of what it breaks. The
wording is in WORDS; the official FHIRPath form of these and the rest is evaluated by
validation.problems.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from clinician import texts
from clinician.fhir.times import earliest_or_none, period_bounds
from clinician.fhir.timing import TIM_WORDS, broken_rules
from clinician.texts import Text

L = texts.lazy("fhir")
Node = Mapping[str, Any]
Rule = Callable[[Node], Iterator[str]]

WORDS: Final[Mapping[str, Text]] = {
    "per-1": L("the start is after the end"),
    "qty-3": L("a unit code needs its code system"),
    "rng-2": L("the low value is above the high value"),
    "rat-1": L("a ratio needs both parts, or an extension"),
    "cpt-2": L("a contact value needs its kind (phone, email …)"),
    "att-1": L("attached data need a content type"),
    "ext-1": L("an extension has either a value or extensions inside, not both and not neither"),
    "obs-3": L("a reference range needs low, high or text"),
    "obs-6": L("a reason for a missing value stands beside a value"),
    "obs-7": L("a component repeats the observation's code beside its value"),
    "app-1": L("a participant needs a type or an actor"),
    "app-2": L("start and end go together"),
    "app-3": L("only a proposed, cancelled or waiting appointment may lack times"),
    "app-4": L("a reason for cancelling belongs to cancelled and no-show appointments"),
    "cpl-3": L("an activity has either a reference or a detail, not both"),
    "bdl-1": L("a total belongs to search results and history"),
    "bdl-2": L("entry.search belongs to search results"),
    "bdl-3": L("entry.request belongs to transactions, batches and history, and is needed there"),
    "bdl-4": L("entry.response belongs to answers and history, and is needed there"),
    "bdl-5": L("an entry needs a resource, a request or a response"),
    "bdl-7": L("the same fullUrl stands twice"),
    "bdl-8": L("a fullUrl must not name a version"),
    "con-4": L("what has ended cannot be active"),
    "con-5": L("what was entered in error has no clinical status"),
    "ait-1": L("a clinical status is needed unless entered in error"),
    "ait-2": L("what was entered in error has no clinical status"),
    "pat-1": L("a contact person needs a name, a telecom, an address or an organisation"),
    "org-1": L("an organisation needs an identifier or a name"),
    "org-2": L("an organisation has no home address"),
    "org-3": L("an organisation has no home telephone"),
    "mad-1": L("a dose or a rate is needed"),
    "sev-1": L("an entity has either a name or a query"),
    "cmp-1": L("a section needs a text, entries or sections"),
    "cmp-2": L("a reason for being empty stands beside entries"),
    "lst-1": L("a reason for being empty stands beside entries"),
    "lst-2": L("deleted items belong to a change list"),
    "grp-1": L("members belong to an actual group"),
    "prr-1": L("details of an order need the order's code"),
    "inv-1": L("last modified lies before authored"),
    "qrs-1": L("an answer's items and the question's items stand side by side"),
    "gol-1": L("a detailed target needs its measure"),
    **TIM_WORDS,
}


def _codes(node: Node, name: str) -> frozenset[str]:
    return frozenset(code for _system, code in _pairs(node.get(name)))


def _last(text: object) -> datetime | None:
    try:
        return period_bounds(text)[1] if isinstance(text, str) else None
    except (ValueError, OverflowError):
        return None


def period(node: Node) -> Iterator[str]:
    """per-1, at the precision written: 2026 to 2026-03 is in order."""
    start, end = node.get("start"), node.get("end")
    if start is not None and end is not None:
        first, last = earliest_or_none(start), _last(end)
        if first is not None and last is not None and first >= last:
            yield "per-1"


def quantity(node: Node) -> Iterator[str]:
    """qty-3."""
    if "code" in node and "system" not in node:
        yield "qty-3"


def _amount(node: object) -> float | None:
    value = node.get("value") if isinstance(node, dict) else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _range(node: Node) -> Iterator[str]:
    low, high = _amount(node.get("low")), _amount(node.get("high"))
    if low is not None and high is not None and low > high:
        yield "rng-2"


def _ratio(node: Node) -> Iterator[str]:
    both = "numerator" in node and "denominator" in node
    neither = "numerator" not in node and "denominator" not in node
    if not both and not (neither and "extension" in node):
        yield "rat-1"


def _contact_point(node: Node) -> Iterator[str]:
    if "value" in node and "system" not in node:
        yield "cpt-2"


def _attachment(node: Node) -> Iterator[str]:
    if "data" in node and "contentType" not in node:
        yield "att-1"


def extension(node: Node) -> Iterator[str]:
    """ext-1."""
    has_value = any(key.startswith(("value", "_value")) for key in node)
    if has_value == ("extension" in node):
        yield "ext-1"


def _has_choice(node: Node, name: str) -> bool:
    return any(key.startswith(name) and key[len(name) : len(name) + 1].isupper() for key in node)


def _observation(node: Node) -> Iterator[str]:
    has_value = _has_choice(node, "value")
    if "dataAbsentReason" in node and has_value:
        yield "obs-6"
    if has_value:
        mine = _pairs(node.get("code"))
        held = node.get("component")
        parts = held if isinstance(held, list) else []
        if any(mine & _pairs(c.get("code")) for c in parts if isinstance(c, dict)):
            yield "obs-7"


def _pairs(concept: object) -> set[tuple[str, str]]:
    held = concept.get("coding") if isinstance(concept, dict) else None
    found = [c for c in held or () if isinstance(c, dict)] if isinstance(held, list) else []
    return {(str(c.get("system", "")), str(c["code"])) for c in found if c.get("code")}


def _reference_range(node: Node) -> Iterator[str]:
    if not ("low" in node or "high" in node or "text" in node):
        yield "obs-3"


def _appointment(node: Node) -> Iterator[str]:
    has_start, has_end = "start" in node, "end" in node
    if has_start != has_end:
        yield "app-2"
    if not (has_start and has_end) and node.get("status") not in ("proposed", "cancelled", "waitlist"):
        yield "app-3"
    if "cancelationReason" in node and node.get("status") not in ("cancelled", "noshow"):
        yield "app-4"
    first, last = earliest_or_none(node.get("start")), earliest_or_none(node.get("end"))
    if first is not None and last is not None and first > last:
        yield "per-1"


def _slot(node: Node) -> Iterator[str]:
    first, last = earliest_or_none(node.get("start")), earliest_or_none(node.get("end"))
    if first is not None and last is not None and first > last:
        yield "per-1"


def _participant(node: Node) -> Iterator[str]:
    if "type" not in node and "actor" not in node:
        yield "app-1"


def _plan_activity(node: Node) -> Iterator[str]:
    if "detail" in node and "reference" in node:
        yield "cpl-3"


def _condition(node: Node) -> Iterator[str]:
    clinical = _codes(node, "clinicalStatus")
    if _has_choice(node, "abatement") and not clinical & {"resolved", "remission", "inactive"}:
        yield "con-4"
    if "entered-in-error" in _codes(node, "verificationStatus") and "clinicalStatus" in node:
        yield "con-5"


def _allergy(node: Node) -> Iterator[str]:
    wrong = "entered-in-error" in _codes(node, "verificationStatus")
    if not wrong and "clinicalStatus" not in node:
        yield "ait-1"
    if wrong and "clinicalStatus" in node:
        yield "ait-2"


def _patient_contact(node: Node) -> Iterator[str]:
    if not any(key in node for key in ("name", "telecom", "address", "organization")):
        yield "pat-1"


def _organization(node: Node) -> Iterator[str]:
    if "identifier" not in node and "name" not in node:
        yield "org-1"
    for key, rule in (("address", "org-2"), ("telecom", "org-3")):
        held = node.get(key)
        if any(isinstance(a, dict) and a.get("use") == "home" for a in held or ()):
            yield rule


def _administration_dosage(node: Node) -> Iterator[str]:
    if "dose" not in node and not _has_choice(node, "rate"):
        yield "mad-1"


def _audit_entity(node: Node) -> Iterator[str]:
    if "name" in node and "query" in node:
        yield "sev-1"


def _section(node: Node) -> Iterator[str]:
    if not any(key in node for key in ("text", "entry", "section")):
        yield "cmp-1"
    if "emptyReason" in node and "entry" in node:
        yield "cmp-2"


def _list(node: Node) -> Iterator[str]:
    if "emptyReason" in node and "entry" in node:
        yield "lst-1"
    held = node.get("entry") or ()
    if node.get("mode") != "changes" and any(isinstance(e, dict) and e.get("deleted") is True for e in held):
        yield "lst-2"


def _group(node: Node) -> Iterator[str]:
    if "member" in node and node.get("actual") is not True:
        yield "grp-1"


def _service_request(node: Node) -> Iterator[str]:
    if "orderDetail" in node and "code" not in node:
        yield "prr-1"


def _task(node: Node) -> Iterator[str]:
    authored, modified = earliest_or_none(node.get("authoredOn")), _last(node.get("lastModified"))
    if authored is not None and modified is not None and modified <= authored:
        yield "inv-1"


def _response_item(node: Node) -> Iterator[str]:
    if "item" in node and "answer" in node:
        yield "qrs-1"


def _goal_target(node: Node) -> Iterator[str]:
    if _has_choice(node, "detail") and "measure" not in node:
        yield "gol-1"


def _bundle(node: Node) -> Iterator[str]:
    kind = node.get("type")
    if "total" in node and kind not in ("searchset", "history"):
        yield "bdl-1"
    held = node.get("entry")
    entries = [e for e in held if isinstance(e, dict)] if isinstance(held, list) else []
    if kind != "searchset" and any("search" in e for e in entries):
        yield "bdl-2"
    asks = kind in ("batch", "transaction", "history")
    if any(("request" in e) != asks for e in entries):
        yield "bdl-3"
    answers = kind in ("batch-response", "transaction-response", "history")
    if any("response" in e and not answers for e in entries) or (
        kind in ("batch-response", "transaction-response") and any("response" not in e for e in entries)
    ):
        yield "bdl-4"
    if any(not {"resource", "request", "response"} & set(e) for e in entries):
        yield "bdl-5"
    urls = [e["fullUrl"] for e in entries if isinstance(e.get("fullUrl"), str)]
    if kind != "history" and len(set(urls)) < len(urls) and not _versioned_apart(entries):
        yield "bdl-7"
    if any("/_history/" in url for url in urls):
        yield "bdl-8"


def _versioned_apart(entries: list[dict[str, Any]]) -> bool:
    names = []
    for entry in entries:
        resource = entry.get("resource")
        meta = resource.get("meta") if isinstance(resource, dict) else None
        names.append((entry.get("fullUrl"), str(meta.get("versionId")) if isinstance(meta, dict) else ""))
    return len(set(names)) == len(names)


RULES: Final[Mapping[str, Rule]] = {
    "Period": period,
    "Quantity": quantity,
    "Age": quantity,
    "Duration": quantity,
    "Count": quantity,
    "Distance": quantity,
    "Range": _range,
    "Ratio": _ratio,
    "ContactPoint": _contact_point,
    "Attachment": _attachment,
    "Extension": extension,
    "TimingRepeat": broken_rules,
    "Observation": _observation,
    "ObservationReferenceRange": _reference_range,
    "Appointment": _appointment,
    "AppointmentParticipant": _participant,
    "Slot": _slot,
    "CarePlanActivity": _plan_activity,
    "Condition": _condition,
    "AllergyIntolerance": _allergy,
    "PatientContact": _patient_contact,
    "Organization": _organization,
    "MedicationAdministrationDosage": _administration_dosage,
    "AuditEventEntity": _audit_entity,
    "CompositionSection": _section,
    "List": _list,
    "Group": _group,
    "ServiceRequest": _service_request,
    "Task": _task,
    "QuestionnaireResponseItem": _response_item,
    "GoalTarget": _goal_target,
    "Bundle": _bundle,
}
"""Type of node → its rule."""
