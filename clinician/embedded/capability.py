"""GET /metadata: what this record does, and nothing it does not."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from clinician.embedded import parameters
from clinician.embedded.writing import instant

_PARAM_URL: Final = "http://hl7.org/fhir/SearchParameter/"
_INTERACTIONS: Final = (
    "read",
    "vread",
    "create",
    "update",
    "delete",
    "search-type",
    "history-instance",
    "history-type",
)
_SYSTEM: Final = ("transaction", "batch", "history-system")


@cache
def software_version() -> str:
    """The version of the installed program."""
    try:
        return version("clinician")
    except PackageNotFoundError:
        return "0"


@cache
def _resources() -> tuple[dict[str, Any], ...]:
    return tuple(_resource(type_) for type_ in sorted(parameters.served_types()))


def _resource(type_: str) -> dict[str, Any]:
    kept = parameters.indexed(type_)
    references = sorted(code for code, param in kept.items() if param.kind == "reference")
    params = [{"name": "_id", "type": "token"}, {"name": "_lastUpdated", "type": "date"}]
    params += [{"name": code, "type": param.kind} for code, param in sorted(kept.items())]
    found: dict[str, Any] = {
        "type": type_,
        "interaction": [{"code": code} for code in _INTERACTIONS],
        "versioning": "versioned-update",
        "readHistory": True,
        "updateCreate": True,
        "conditionalCreate": True,
        "conditionalRead": "not-match",
        "conditionalUpdate": True,
        "conditionalDelete": "single",
        "referencePolicy": ["literal", "local"],
        "searchInclude": [f"{type_}:{code}" for code in references],
        "searchRevInclude": [],
        "searchParam": params,
    }
    if type_ == "Patient":
        url = "http://hl7.org/fhir/OperationDefinition/Patient-everything"
        found["operation"] = [{"name": "everything", "definition": url}]
    return {key: value for key, value in found.items() if value != []}


def capability_statement(base: str, epoch: str, now: int) -> dict[str, Any]:
    """The CapabilityStatement. Its url names the epoch: another one means another or a restored record."""
    return {
        "resourceType": "CapabilityStatement",
        "url": f"urn:uuid:{epoch}",
        "status": "active",
        "date": instant(now),
        "kind": "instance",
        "software": {"name": "Clinician embedded record", "version": software_version()},
        "implementation": {"description": "Embedded FHIR record of a Clinician workstation", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["json", "application/fhir+json"],
        "rest": [
            {
                "mode": "server",
                "documentation": "GET _history?_after=SEQ&_wait=SECONDS answers when something newer is "
                "committed. X-Change-Sequence holds the newest seq, X-Record-Epoch the life of this record. "
                "A request body may come with Content-Encoding: gzip.",
                "resource": list(_resources()),
                "interaction": [{"code": code} for code in _SYSTEM],
                "searchParam": [
                    {"name": "_id", "type": "token"},
                    {"name": "_lastUpdated", "type": "date"},
                ],
                "compartment": ["http://hl7.org/fhir/CompartmentDefinition/patient"],
            }
        ],
    }
