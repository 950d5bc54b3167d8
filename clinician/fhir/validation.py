"""Whether a resource is FHIR R4.

`quick_problems` is for every write and import: our own tables, tens of microseconds, and it never
changes what it reads. `problems` is for what this product sends: quick, then fhir.resources.R4B and the
official invariants in FHIRPath, milliseconds. What the record delivers is not validated here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from clinician import texts
from clinician.fhir.invariants import RULES, WORDS, Rule
from clinician.fhir.primitives import CHECKS, Check, code_among, identifier
from clinician.fhir.reference import Raw, type_of
from clinician.fhir.reference_rules import contained_problems, is_reference
from clinician.fhir.structure import Element, resource_types, shape
from clinician.texts import Text

L = texts.lazy("fhir")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. path: 'Appointment.participant[0].actor'. key: invariant or ''.

    level: 'error' (must not be stored) or 'warning'.
    """

    path: str
    text: Text
    level: str = "error"
    key: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.text}"


@dataclass(slots=True)
class _Context:
    """What a whole resource is needed for while its parts are checked."""

    out: list[Problem]
    contained: dict[str, str]

    def add(self, path: _Path, text: Text, key: str = "", level: str = "error") -> None:
        self.out.append(Problem(_written(path), text, level, key))


_Path = tuple[Any, str, int]
"""(path above, element name, index or -1)"""
_ObjectCheck = Callable[[Any, _Path, _Context], None]


@dataclass(frozen=True, slots=True)
class _Row:
    is_list: bool
    choice: str
    primitive: Check | None
    part: _ObjectCheck | None
    targets: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Plan:
    name: str
    rows: dict[str, _Row]
    required: tuple[str, ...]
    required_choices: frozenset[str]
    rule: Rule | None
    is_resource: bool


_UNKNOWN_TYPE: Final = L("is no resource type of FHIR R4")
_NOT_OBJECT: Final = L("must be an object")
_NOT_LIST: Final = L("must be a list")
_NO_LIST: Final = L("must be one value, not a list")
_EMPTY: Final = L("is empty")
_NULL: Final = L("is null; an absent element is left out")
_MISSING: Final = L("is missing")
_TWO_CHOICES: Final = L("has more than one value; FHIR allows one")
_REFERENCE: Final = L("is no reference: Type/id, an address, urn:uuid or #contained")
_UNRESOLVED: Final = L("refers to a contained resource that is not there")


def quick_problems(raw: object) -> tuple[Problem, ...]:
    """What is wrong with a resource: structure, types, cardinality, choices, required codes, ids,
    references, dates, empty values, unsafe narrative, and the invariants in clinician.fhir.invariants.

    () when nothing is. Reads any JSON value and never raises, never changes it.
    """
    out: list[Problem] = []
    try:
        _resource(raw, (None, _type_name(raw), -1), out)
    except RecursionError:
        out.append(Problem(_type_name(raw), L("is nested too deep")))
    return tuple(out)


def problems(raw: Raw) -> tuple[Problem, ...]:
    """As quick_problems, then fhir.resources.R4B and the official invariants. For what we write."""
    found = quick_problems(raw)
    if any(p.level == "error" for p in found):
        return found
    from clinician.fhir.slow_checks import invariant_problems, model_problems

    return (*found, *model_problems(raw), *invariant_problems(raw))


def prepare(types: Iterable[str]) -> None:
    """Load what `problems` needs for these types, so that a person's first act does not wait for it.

    A few tenths of a second; from any thread.
    """
    from clinician.fhir.slow_checks import PARTS, load_model

    for part in PARTS:
        load_model(part)
    for type_ in types:
        quick_problems({"resourceType": type_})
        load_model(type_)


def _type_name(raw: object) -> str:
    name = raw.get("resourceType") if isinstance(raw, dict) else None
    return name if isinstance(name, str) and name else "resource"


def _written(path: _Path) -> str:
    above, name, index = path
    place = name if index < 0 else f"{name}[{index}]"
    return place if above is None else f"{_written(above)}.{place}"


def _resource(raw: Any, path: _Path, out: list[Problem], around: _Context | None = None) -> None:
    """A whole resource: the root, one in a Bundle, or one contained in what lies `around` it."""
    context = _Context(out, around.contained if around is not None else {})
    if type(raw) is not dict:
        context.add(path, _NOT_OBJECT)
        return
    kind = raw.get("resourceType")
    if not isinstance(kind, str) or kind not in resource_types():
        context.add((path, "resourceType", -1), _UNKNOWN_TYPE)
        return
    if "contained" in raw and around is None:
        context.contained = _contained_types(raw["contained"])
    plan = _plan(kind, True)
    if plan is None:
        wrong = identifier(raw["id"]) if "id" in raw else None
        if wrong is not None:
            context.add((path, "id", -1), wrong)
        return
    _object(raw, plan, path, context)
    if "contained" in raw:
        for where, key, text in contained_problems(raw):
            context.add((path, where, -1), text, key)


def _contained_types(held: object) -> dict[str, str]:
    inside = [c for c in held if isinstance(c, dict)] if isinstance(held, list) else []
    return {str(c.get("id")): str(c.get("resourceType")) for c in inside}


def _any_resource(raw: Any, path: _Path, context: _Context) -> None:
    _resource(raw, path, context.out, context if path[1] == "contained" else None)


def _object(node: Any, plan: _Plan, path: _Path, context: _Context) -> None:
    if type(node) is not dict:
        context.add(path, _NOT_OBJECT)
        return
    before = len(context.out)
    chosen = _elements(node, plan, path, context)
    _cardinality(node, plan, path, context, chosen)
    if plan.rule is not None and len(context.out) == before:
        for key in plan.rule(node):
            context.add(path, WORDS[key], key)


def _elements(node: dict[str, Any], plan: _Plan, path: _Path, context: _Context) -> dict[str, str]:
    """Check every element there is; answers which JSON name each choice took."""
    rows = plan.rows
    chosen: dict[str, str] = {}
    for key, value in node.items():
        row = rows.get(key)
        if row is None:
            _other(node, key, value, plan, path, context)
            continue
        if row.choice and chosen.setdefault(row.choice, key) != key:
            context.add((path, f"{row.choice}[x]", -1), _TWO_CHOICES)
        if row.is_list:
            _list(node, key, value, row, path, context)
        elif row.primitive is not None and value is not None:
            wrong = row.primitive(value)
            if wrong is not None:
                context.add((path, key, -1), _NO_LIST if type(value) is list else wrong)
        else:
            _single(key, value, row, path, context)
    return chosen


def _cardinality(
    node: dict[str, Any], plan: _Plan, path: _Path, context: _Context, chosen: dict[str, str]
) -> None:
    if not node or (len(node) == 1 and "id" in node and not plan.is_resource):
        context.add(path, _EMPTY)
    for name in plan.required:
        if name not in node and f"_{name}" not in node:
            context.add((path, name, -1), _MISSING)
    for choice in plan.required_choices:
        if choice not in chosen and not _by_extension(node, plan, choice):
            context.add((path, f"{choice}[x]", -1), _MISSING)


def _by_extension(node: dict[str, Any], plan: _Plan, choice: str) -> bool:
    return any(key[:1] == "_" and (row := plan.rows.get(key[1:])) and row.choice == choice for key in node)


def _single(key: str, value: Any, row: _Row, path: _Path, context: _Context) -> None:
    place = (path, key, -1)
    if value is None:
        context.add(place, _NULL)
    elif type(value) is list:
        context.add(place, _NO_LIST)
    elif row.part is not None:
        row.part(value, place, context)
        if row.targets:
            _target(value, row.targets, place, context)


def _list(node: dict[str, Any], key: str, value: Any, row: _Row, path: _Path, context: _Context) -> None:
    if type(value) is not list:
        context.add((path, key, -1), _NULL if value is None else _NOT_LIST)
        return
    if not value:
        context.add((path, key, -1), _EMPTY)
    for index, one in enumerate(value):
        place = (path, key, index)
        if one is None:
            beside = node.get(f"_{key}")
            if not (isinstance(beside, list) and index < len(beside) and beside[index] and row.primitive):
                context.add(place, _NULL)
        elif row.primitive is not None:
            wrong = row.primitive(one)
            if wrong is not None:
                context.add(place, wrong)
        elif row.part is not None:
            row.part(one, place, context)
            if row.targets:
                _target(one, row.targets, place, context)


def _other(node: dict[str, Any], key: str, value: Any, plan: _Plan, path: _Path, context: _Context) -> None:
    if key == "resourceType" and plan.is_resource:
        return
    row = plan.rows.get(key[1:]) if key[:1] == "_" else None
    if row is None or row.primitive is None:
        context.add((path, key, -1), L("is no element of {type}", type=plan.name))
        return
    held = value if row.is_list and isinstance(value, list) else [value]
    if row.is_list != isinstance(value, list) or not held or all(one is None for one in held):
        context.add((path, key, -1), _NOT_LIST if row.is_list else _NOT_OBJECT)
        return
    element = _plan("Element", False)
    assert element is not None
    for index, one in enumerate(held):
        if one is not None:
            _object(one, element, (path, key, index if row.is_list else -1), context)


def _reference(node: Any, path: _Path, context: _Context) -> None:
    plan = _plan("Reference", False)
    assert plan is not None
    _object(node, plan, path, context)
    reference = node.get("reference") if type(node) is dict else None
    if type(reference) is not str or not reference:
        return
    if reference[0] == "#":
        if len(reference) > 1 and reference[1:] not in context.contained:
            context.add(path, _UNRESOLVED, "ref-1")
    elif not is_reference(reference):
        level = "error" if " " in reference or "/" not in reference else "warning"
        context.add((path, "reference", -1), _REFERENCE, level=level)


def _target(node: Any, targets: frozenset[str], path: _Path, context: _Context) -> None:
    reference = node.get("reference") if type(node) is dict else None
    if type(reference) is not str or not reference:
        return
    named = context.contained.get(reference[1:], "") if reference[0] == "#" else type_of(reference)
    if named and named not in targets and named in resource_types():
        context.add(path, L("may not refer to a {type}", type=named))


def _row(element: Element) -> _Row:
    if element.is_primitive:
        check = code_among(element.codes) if element.codes else CHECKS[element.type]
        return _Row(element.is_list, element.choice, check, None, frozenset())
    return _Row(element.is_list, element.choice, None, _part(element.type), element.targets)


def _part(type_: str) -> _ObjectCheck:
    if type_ == "Resource":
        return _any_resource
    if type_ == "Reference":
        return _reference

    def check(node: Any, path: _Path, context: _Context) -> None:
        plan = _plan(type_, False)
        if plan is not None:
            _object(node, plan, path, context)

    return check


@cache
def _plan(name: str, is_resource: bool) -> _Plan | None:
    if name == "Element":
        rows = {"id": _Row(False, "", CHECKS["string"], None, frozenset())}
        rows["extension"] = _Row(True, "", None, _part("Extension"), frozenset())
        return _Plan(name, rows, (), frozenset(), None, False)
    held = shape(name)
    if held is None:
        return None
    rows = {element.name: _row(element) for element in held.elements.values()}
    return _Plan(name, rows, held.required, held.required_choices, RULES.get(name), is_resource)


def in_words(found: tuple[Problem, ...]) -> Iterator[str]:
    """One line a problem, for an OperationOutcome or a log: paths and rules, never values."""
    yield from (str(problem) for problem in found)
