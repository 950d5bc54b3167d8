"""Makes the FHIR tables the program ships: `python -m installer.fhir_tables FOLDER`.

FOLDER holds the official R4 (4.0.1, CC0) definitions as trimmed files: r4-search-parameters.ndjson.gz,
r4-required-codes.json.gz, r4-invariants.json.gz, compartmentdefinition-patient.json.
The structure (elements, types, cardinality, choices, reference targets) is read from the metadata of
fhir.resources.R4B; types of R4B that R4 does not know are left out, required codes are those of R4.
"""

from __future__ import annotations

import gzip
import json
import sys
import typing
from pathlib import Path
from typing import Any

from fhir.resources.R4B import get_fhir_model_class

OUT = Path(__file__).resolve().parent.parent / "resources" / "fhir"
PRIMITIVES = {
    "Base64Binary": "base64Binary",
    "Boolean": "boolean",
    "Canonical": "canonical",
    "Code": "code",
    "EncodedBytes": "base64Binary",
    "Date": "date",
    "DateTime": "dateTime",
    "Decimal": "decimal",
    "Id": "id",
    "Instant": "instant",
    "Integer": "integer",
    "Markdown": "markdown",
    "Oid": "oid",
    "PositiveInt": "positiveInt",
    "String": "string",
    "Time": "time",
    "UnsignedInt": "unsignedInt",
    "Uri": "uri",
    "Url": "url",
    "Uuid": "uuid",
    "UuidVersion": "uuid",
    "UrlConstraints": "url",
    "Xhtml": "xhtml",
}


def _inner(annotation: Any) -> tuple[str, bool]:
    """(FHIR type name, is a list) of a model field's annotation."""
    is_list = False
    while True:
        origin = typing.get_origin(annotation)
        if origin is typing.Annotated:
            marker = type(typing.get_args(annotation)[1]).__name__
            return PRIMITIVES[marker], is_list
        if origin is list:
            is_list = True
            annotation = typing.get_args(annotation)[0]
            continue
        arguments = [a for a in typing.get_args(annotation) if a is not type(None)]
        if arguments:
            annotation = arguments[0]
            continue
        break
    if annotation is bool:
        return "boolean", is_list
    return annotation.get_model_klass().__name__, is_list


def _elements(name: str) -> tuple[dict[str, Any], list[str]]:
    elements: dict[str, Any] = {}
    needed: list[str] = []
    for field_name, field in get_fhir_model_class(name).model_fields.items():
        extra = field.json_schema_extra or {}
        if not isinstance(extra, dict) or not extra.get("element_property") or field_name.endswith("__ext"):
            continue
        type_, is_list = _inner(field.annotation)
        row: dict[str, Any] = {"t": type_}
        if is_list:
            row["l"] = 1
        if extra.get("element_required") or field.is_required():
            row["r"] = 1
        if extra.get("one_of_many"):
            row["c"] = extra["one_of_many"]
            if extra.get("one_of_many_required"):
                row["cr"] = 1
        targets = extra.get("enum_reference_types")
        if isinstance(targets, list):
            row["to"] = sorted(str(target) for target in targets)
        elements[field.alias or field_name] = row
        needed.append(type_)
    return elements, needed


def structure(names: list[str], codes: dict[str, list[str]]) -> dict[str, Any]:
    """Every type reachable from `names`, with R4's required codes put on its elements."""
    types: dict[str, Any] = {}
    waiting = [(name, name) for name in names]
    r4_only = []
    while waiting:
        name, path = waiting.pop(0)
        if name in types or name in PRIMITIVES.values() or name == "Resource":
            continue
        try:
            elements, _needed = _elements(name)
        except ValueError:
            r4_only.append(name)
            continue
        types[name] = elements
        for element, row in elements.items():
            allowed = codes.get(f"{path}.{element}") or codes.get(f"{path}.{row.get('c', '')}[x]")
            if allowed and row["t"] == "code":
                row["codes"] = allowed
            is_part = row["t"].startswith(name) or row["t"].startswith(path.split(".", maxsplit=1)[0])
            inner = f"{path}.{element}" if is_part and row["t"] not in names else row["t"]
            waiting.append((row["t"], inner))
    return {"fhirVersion": "4.0.1", "resources": names, "unknown": sorted(r4_only), "types": types}


def _write(name: str, content: Any) -> None:
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=False).encode()
    (OUT / name).write_bytes(gzip.compress(body, 9, mtime=0) if name.endswith(".gz") else body)


def _search_parameters(folder: Path) -> list[dict[str, Any]]:
    keep = ("code", "base", "type", "expression", "target", "component", "url")
    with gzip.open(folder / "r4-search-parameters.ndjson.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [{k: row[k] for k in keep if k in row} for row in rows if row.get("expression")]


def main(arguments: list[str]) -> int:
    """Command line; returns the exit code."""
    if len(arguments) != 1:
        print(__doc__)
        return 2
    folder = Path(arguments[0])
    compartment = json.loads((folder / "compartmentdefinition-patient.json").read_text("utf-8"))
    names = [row["code"] for row in compartment["resource"]] + ["Parameters"]
    with gzip.open(folder / "r4-required-codes.json.gz", "rt", encoding="utf-8") as source:
        codes = json.load(source)
    with gzip.open(folder / "r4-invariants.json.gz", "rt", encoding="utf-8") as source:
        invariants = json.load(source)
    OUT.mkdir(parents=True, exist_ok=True)
    _write("structure.json.gz", structure(sorted(set(names)), codes))
    _write("search-parameters.json.gz", _search_parameters(folder))
    _write("invariants.json.gz", invariants)
    _write(
        "patient-compartment.json", {r["code"]: r["param"] for r in compartment["resource"] if r.get("param")}
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
