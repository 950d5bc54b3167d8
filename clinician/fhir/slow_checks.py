"""The second opinion on what this product writes: fhir.resources.R4B and the official invariants.

Both are imported at first use: together they cost about half a second and 30 MB.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from clinician import texts
from clinician.fhir.invariants import WORDS
from clinician.fhir.reference import Raw
from clinician.fhir.structure import shape, table

if TYPE_CHECKING:
    from clinician.fhir.validation import Problem

L = texts.lazy("fhir")
_log: Final = logging.getLogger(__name__)
_lock: Final = threading.Lock()

_TRACE: Final = re.compile(r"\.trace\('[^']*'(,[^()]*(\([^()]*\))?[^()]*)?\)")
"""The engine prints what it traces."""
PARTS: Final = (
    "Annotation",
    "CodeableConcept",
    "Coding",
    "Extension",
    "Identifier",
    "Meta",
    "Period",
    "Quantity",
    "Reference",
    "Signature",
)
"""Data types in nearly all we write; the library imports each when the first value of it is validated."""
BY_HAND: Final = frozenset(WORDS) | {"dom-2", "dom-3", "dom-4", "dom-5", "ref-1", "txt-1", "txt-2"}
"""Judged by quick_problems; some of them the engine cannot do (hasValue, choices inside parts …)."""
_BEYOND_ENGINE: Final = (
    "hasValue",
    "resolve(",
    "htmlChecks",
    "memberOf",
    "conformsTo",
    "%resource.descendants",
)


@cache
def load_model(type_: str) -> Any:
    """The model class of a type, None when R4B has none."""
    from fhir.resources.R4B import get_fhir_model_class

    try:
        return get_fhir_model_class(type_)
    except ValueError:
        return None


def model_problems(raw: Raw) -> Iterator[Problem]:
    """What fhir.resources.R4B says of it. Its Decimals never come back: the raw resource is what is kept."""
    from pydantic import ValidationError

    from clinician.fhir.validation import Problem

    model = load_model(raw["resourceType"])
    if model is None:
        return
    try:
        model.model_validate(raw)
    except ValidationError as wrong:
        for fault in wrong.errors(include_url=False, include_input=False, include_context=False):
            place = ".".join(str(part) for part in (raw["resourceType"], *fault["loc"]))
            yield Problem(place, L("is not accepted by the FHIR model ({kind})", kind=fault["type"]))


@cache
def _invariants() -> dict[str, list[tuple[str, str, str]]]:
    """Type (or 'Timing.repeat') → (key, expression, wording)."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    for row in table("invariants.json.gz"):
        if row["key"] not in BY_HAND and not any(word in row["expression"] for word in _BEYOND_ENGINE):
            expression = _TRACE.sub("", row["expression"])
            found.setdefault(row["path"], []).append((row["key"], expression, row["human"]))
    return found


@cache
def _compiled(expression: str) -> Callable[..., Any]:
    import fhirpathpy
    from fhirpathpy.models import models

    made: Callable[..., Any] = fhirpathpy.compile(expression, models["r4"])
    return made


def invariant_problems(raw: Raw) -> Iterator[Problem]:
    """The official invariants of the resource and of every part, in FHIRPath."""
    with _lock:  # the engine keeps state between calls
        yield from list(_in_part(raw, raw["resourceType"], raw["resourceType"], raw["resourceType"], raw))


def _in_part(node: Any, type_: str, rule_path: str, place: str, root: Raw) -> Iterator[Problem]:
    held = shape(type_)
    if not isinstance(node, dict) or held is None:
        return
    yield from _judged(node, rule_path, place, root)
    for name, value in node.items():
        element = held.elements.get(name)
        if element is None or element.is_primitive:
            continue
        values = value if isinstance(value, list) else [value]
        for index, one in enumerate(values):
            where = f"{place}.{name}[{index}]" if isinstance(value, list) else f"{place}.{name}"
            if element.type == "Resource":
                inner = str(one.get("resourceType")) if isinstance(one, dict) else ""
                yield from _in_part(one, inner, inner, where, one)
            else:
                part = f"{rule_path}.{name}" if element.type.startswith(type_) else element.type
                yield from _in_part(one, element.type, part, where, root)


def _judged(node: Raw, rule_path: str, place: str, root: Raw) -> Iterator[Problem]:
    from clinician.fhir.validation import Problem

    for key, expression, human in _invariants().get(rule_path, ()):
        try:
            answer = _compiled(expression)(node, {"resource": root, "rootResource": root})
        except Exception as trouble:  # noqa: BLE001 - a slip in the engine is no fault of the resource
            _log.debug("invariant %s could not be judged: %s", key, type(trouble).__name__)
            continue
        if answer == [False]:
            yield Problem(place, L("{rule} (FHIR rule {key})", rule=human, key=key), "error", key)
