"""What is typed in a measurement field, read: '120/80', '37,5'. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from clinician import texts
from modules.homecare.rows import MeasurementField, MeasurementKind
from modules.homecare.words import number_text

_ = texts.translator("homecare")
_PARTS: Final = re.compile(r"[/\s]+")
_NUMBER: Final = re.compile(r"^\d{1,4}(?:[.,]\d{1,2})?$")


@dataclass(frozen=True, slots=True)
class Read:
    """values None: not a measurement as it stands. fault refuses, doubt asks; '' when neither."""

    values: tuple[float, ...] | None
    fault: str = ""
    doubt: str = ""


def _limits(field: MeasurementField) -> str:
    low, high = number_text(field.hard_low, field.decimals), number_text(field.hard_high, field.decimals)
    return f"{low}–{high} {field.unit_text}".strip()


def _of_field(value: float, field: MeasurementField) -> tuple[str, str]:
    if not field.hard_low <= value <= field.hard_high:
        return _("{label}: must be {limits}", label=field.label, limits=_limits(field)), ""
    if not field.soft_low <= value <= field.soft_high:
        shown = number_text(value, field.decimals)
        return "", _("{label} {value} is unusual", label=field.label, value=shown)
    return "", ""


def how_to_write(kind: MeasurementKind) -> str:
    """'120/80' for two numbers, '37,5' for a temperature, '' where a number needs no example."""
    if len(kind.fields) > 1:
        return "120/80"
    return number_text(37.5, 1) if kind.key == "temperature" else ""


def read(kind: MeasurementKind, text: str) -> Read:
    """Read one field. Several numbers are parted by '/' or space, in the order of the kind's fields."""
    words = [part for part in _PARTS.split(text.strip()) if part]
    if not words:
        return Read(None)
    if len(words) != len(kind.fields):
        return Read(None, _("Write it as {example}", example=how_to_write(kind) or "72"))
    if not all(_NUMBER.match(word) for word in words):
        return Read(None, _("Only numbers, such as {example}", example=how_to_write(kind) or "72"))
    values = tuple(float(word.replace(",", ".")) for word in words)
    judged = [_of_field(value, field) for value, field in zip(values, kind.fields, strict=True)]
    fault = next((fault for fault, _doubt in judged if fault), "")
    if not fault and kind.key == "blood-pressure" and values[0] <= values[1]:
        fault = _("The first number must be the larger one")
    doubt = " · ".join(doubt for _fault, doubt in judged if doubt)
    return Read(None if fault else values, fault, "" if fault else doubt)
