"""OperationOutcome → plain reasons."""

from __future__ import annotations

from typing import Any

import orjson

_MOST: int = 10
_LONGEST: int = 400


def reasons(body: bytes) -> tuple[str, ...]:
    """The reasons a record gives, worst first, at most ten; () when the body is no outcome.

    Never raises: a refusal must be shown even when its reason cannot be read.
    """
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ()
    return outcome_reasons(parsed)


def outcome_reasons(parsed: Any) -> tuple[str, ...]:
    """The reasons in a parsed OperationOutcome, or in the entries of a Bundle that carries some."""
    if not isinstance(parsed, dict):
        return ()
    if parsed.get("resourceType") == "Bundle":
        found = [
            reason
            for entry in _dicts(parsed.get("entry"))
            for reason in outcome_reasons((_dict(entry.get("response"))).get("outcome"))
        ]
        return tuple(found[:_MOST])
    if parsed.get("resourceType") != "OperationOutcome":
        return ()
    issues = sorted(_dicts(parsed.get("issue")), key=lambda issue: _rank(issue.get("severity")))
    return tuple(text for text in map(_words, issues) if text)[:_MOST]


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _rank(severity: Any) -> int:
    order = ("fatal", "error", "warning", "information")
    return order.index(severity) if severity in order else len(order)


def _words(issue: dict[str, Any]) -> str:
    text = _dict(issue.get("details")).get("text") or issue.get("diagnostics") or issue.get("code") or ""
    places = issue.get("expression")
    place = places[0] if isinstance(places, list) and places and isinstance(places[0], str) else ""
    said = str(text)[:_LONGEST]
    return f"{place}: {said}" if place and place not in said else said
