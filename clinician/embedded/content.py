"""A received resource, read and checked before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from clinician.embedded import body as bodies
from clinician.embedded.outcome import RequestError, bad
from clinician.embedded.writing import Tail
from clinician.fhir.reference import Raw, is_id
from clinician.fhir.structure import resource_types
from clinician.fhir.validation import quick_problems

_SHOWN = 20


@dataclass(slots=True)
class Content:
    """A resource ready to write. id is '' where the sender gave none."""

    type: str
    id: str
    raw: Raw
    tail: Tail


def read_content(body: bytes, type_: str, *, id_: str | None = None) -> Content:
    """The resource in a request body. id_: the id in the URL, which the body must repeat.

    RequestError 400 for broken JSON or the wrong type or id, 422 for a resource FHIR does not allow.
    """
    raw = bodies.read_json(body)
    check_resource(raw, type_)
    return content_of(raw, body, type_, id_=id_)


def content_of(raw: Raw, body: bytes, type_: str, *, id_: str | None = None) -> Content:
    """The content of JSON that is parsed and checked already; body: its bytes."""
    given = raw.get("id", "")
    if id_ is not None and given != id_:
        what = "has no id" if not given else "has another id than the URL"
        raise bad(f"the resource {what}")
    return Content(type_, str(given), raw, bodies.tail_of_bytes(body))


def check_resource(raw: Raw, type_: str) -> None:
    """Raise for anything that is not a well-formed resource of `type_`."""
    given = raw.get("resourceType")
    if given != type_:
        named = given if isinstance(given, str) and given in resource_types() else "no known type"
        raise bad(f"the body is {named}, not {type_}")
    if "id" in raw and not is_id(raw["id"]):
        raise bad("the id is not a FHIR id (A-Z a-z 0-9 - . , at most 64)", "value")
    problems = [problem for problem in quick_problems(raw) if problem.level == "error"]
    if problems:
        shown = "; ".join(f"{problem.path}: {problem.text}" for problem in problems[:_SHOWN])
        raise RequestError(422, "structure", shown, paths=[problem.path for problem in problems[:_SHOWN]])


def rewritten(raw: Raw, body: bytes, references: Mapping[str, str]) -> tuple[Raw, bytes]:
    """The resource with every link in `references` replaced; numbers keep their digits.

    Links are replaced in references, addresses of type uri, url and oid, and in narrative; an
    Identifier.value is a string and stays (R4 transaction rules, 3.1.0.11.2).
    """
    if not any(old.encode() in body for old in references):
        return raw, body
    tree = _number_keeping.decode(body)
    changed = msgspec.json.encode(_replaced(tree, "", references))
    return msgspec.json.decode(changed), changed


_number_keeping = msgspec.json.Decoder(float_hook=lambda text: msgspec.Raw(text.encode()))


def _replaced(node: Any, key: str, references: Mapping[str, str]) -> Any:
    if isinstance(node, dict):
        return {inner: _replaced(value, inner, references) for inner, value in node.items()}
    if isinstance(node, list):
        return [_replaced(value, key, references) for value in node]
    if isinstance(node, str) and key != "value":
        if key == "div":
            return _in_narrative(node, references)
        return references.get(node, node)
    return node


def _in_narrative(text: str, references: Mapping[str, str]) -> str:
    for old, new in references.items():
        for quote in ('"', "'"):
            text = text.replace(f"{quote}{old}{quote}", f"{quote}{new}{quote}")
    return text
