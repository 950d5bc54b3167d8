"""Search-parameter expressions compiled to walkers over raw resources.

The official R4 expressions use a small part of FHIRPath: paths, `|`, `as`, `ofType`, `[0]`, where() on
a field, where(resolve() is Type). A generic engine takes milliseconds for what a walker does in
microseconds. An expression outside that part raises ValueError when it is compiled, never later.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from clinician.fhir.reference import Raw, type_of
from clinician.fhir.structure import Element, shape

Filter = Callable[[Any, Raw], bool]
_WHERE_FIELD: Final = re.compile(r"(\w+)\s*=\s*'([^']*)'")
_WHERE_RESOLVE: Final = re.compile(r"resolve\(\)\s+is\s+(\w+)")
_STEP: Final = re.compile(r"(\w+)(?:\(([^()]*(?:\([^()]*\)[^()]*)*)\))?(?:\[(\d+)\])?")


@dataclass(frozen=True, slots=True)
class Step:
    """One way down: a JSON key ('' stays), then a filter, then one item of the list."""

    key: str
    keeps: Filter | None = None
    index: int | None = None


@dataclass(frozen=True, slots=True)
class Walk:
    """A concrete way from a resource to values of one FHIR type."""

    steps: tuple[Step, ...]
    type: str

    def nodes(self, raw: Raw) -> Iterator[Any]:
        """The values at the end of the way, in document order."""
        return _walk(raw, self.steps, 0, raw)


def _walk(node: Any, steps: tuple[Step, ...], at: int, root: Raw) -> Iterator[Any]:
    if at == len(steps):
        yield node
        return
    if not isinstance(node, dict):
        return
    step = steps[at]
    inner = node if not step.key else node.get(step.key)
    if inner is None:
        return
    found = inner if isinstance(inner, list) else [inner]
    if step.index is not None:
        found = found[step.index : step.index + 1]
    for one in found:
        if step.keeps is None or step.keeps(one, root):
            yield from _walk(one, steps, at + 1, root)


def compile_path(expression: str, base: str) -> tuple[Walk, ...]:
    """The walks of an expression for resources (or parts) of type `base`.

    Alternatives for other types are left out. Raises ValueError for what is not understood.
    """
    walks: list[Walk] = []
    for alternative in _split(expression, "|"):
        walks.extend(_alternative(alternative.strip(), base))
    return tuple(walks)


def _split(text: str, mark: str) -> list[str]:
    parts, depth, quoted, start = [], 0, False, 0
    for at, letter in enumerate(text):
        if letter == "'":
            quoted = not quoted
        elif not quoted and letter in "([":
            depth += 1
        elif not quoted and letter in ")]":
            depth -= 1
        elif letter == mark and not depth and not quoted:
            parts.append(text[start:at])
            start = at + 1
    return [*parts, text[start:]]


def _alternative(text: str, base: str) -> list[Walk]:
    if text.startswith("("):
        inner, rest = _group(text)
        walks = [w for part in _split(inner, "|") for w in _alternative(part.strip(), base)]
        for piece in _split(rest, ".")[1:] if rest else []:
            walks = _advance(walks, piece.strip())
        return walks
    head, _, wanted = text.partition(" as ")
    if wanted:
        return _only(_alternative(head.strip(), base), wanted.strip())
    first, *rest_pieces = _split(text, ".")
    first = first.strip()
    if first in (base, "Resource", "DomainResource", "$this"):
        pieces = rest_pieces
    elif first[:1].isupper():
        return []
    else:
        pieces = [first, *rest_pieces]
    walks = [Walk((), base)]
    for piece in pieces:
        walks = _advance(walks, piece.strip())
    return walks


def _group(text: str) -> tuple[str, str]:
    depth = 0
    for at, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return text[1:at], text[at + 1 :]
    raise ValueError(f"unbalanced expression {text!r}")


def _only(walks: list[Walk], type_: str) -> list[Walk]:
    return [walk for walk in walks if walk.type == type_]


def _advance(walks: list[Walk], piece: str) -> list[Walk]:
    found = _STEP.fullmatch(piece)
    if found is None:
        raise ValueError(f"step {piece!r} is not understood")
    name, argument, index = found[1], found[2], found[3]
    if argument is not None and name in ("as", "ofType"):
        return _only(walks, argument.strip())
    if argument is not None and name == "where":
        keeps = _filter(argument)
        return [Walk((*w.steps, Step("", keeps)), w.type) for w in walks]
    if argument is not None:
        raise ValueError(f"function {name!r} is not understood")
    if name == "resolve":
        raise ValueError("resolve() outside where() is not understood")
    at = int(index) if index is not None else None
    return [step for walk in walks for step in _down(walk, name, at)]


def _down(walk: Walk, name: str, index: int | None) -> list[Walk]:
    held = shape(walk.type)
    if held is None:
        return []
    plain = held.elements.get(name)
    if plain is not None:
        return [_into(walk, plain, index)]
    return [_into(walk, held.elements[key], index) for key in held.choices.get(name, ())]


def _into(walk: Walk, element: Element, index: int | None) -> Walk:
    return Walk((*walk.steps, Step(element.name, None, index)), element.type)


def _filter(argument: str) -> Filter:
    resolves = _WHERE_RESOLVE.fullmatch(argument.strip())
    if resolves:
        return _names(resolves[1])
    field = _WHERE_FIELD.fullmatch(argument.strip())
    if field:
        name, value = field[1], field[2]
        return lambda node, _root: isinstance(node, dict) and node.get(name) == value
    raise ValueError(f"where({argument}) is not understood")


def _names(type_: str) -> Filter:
    def keeps(node: Any, root: Raw) -> bool:
        if not isinstance(node, dict):
            return False
        reference = node.get("reference")
        if not isinstance(reference, str):
            return node.get("type") == type_
        if reference.startswith("#"):
            held = root.get("contained")
            inside = held if isinstance(held, list) else []
            named = (c for c in inside if isinstance(c, dict) and c.get("id") == reference[1:])
            return any(c.get("resourceType") == type_ for c in named)
        return (type_of(reference) or node.get("type")) == type_

    return keeps
