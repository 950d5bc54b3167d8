"""What is left in a cache after a kill: every act whole, and everything that was told."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import orjson

from clinician.cache.acts import TERMINAL, ActState
from clinician.cache.open import Cache


@dataclass
class Left:
    """states: op_id → state. created: references the acts made. The lists are empty when all is well."""

    states: dict[str, str] = field(default_factory=dict)
    created: list[str] = field(default_factory=list)
    patients: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    torn: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


def look_at(cache: Cache, told: list[list[str]], user_ref: str) -> Left:
    """Compare what is there with what was told since the workstation was new."""
    left = Left()
    with cache.reading() as reading:
        run = reading._execute  # type: ignore[attr-defined]  # the tables themselves are looked at here
        left.states = dict(run("SELECT op_id, state FROM outbox").fetchall())
        signed = run("SELECT op_id, ref, base IS NULL FROM outbox_ref").fetchall()
        laid = Counter(op for (op,) in run("SELECT op_id FROM overlay").fetchall())
        audits = Counter(found for (body,) in run("SELECT body FROM audit") if (found := _written(body)))
        frozen = dict(run("SELECT op_id, bundle IS NOT NULL FROM outbox").fetchall())
        left.patients = [f"Patient/{row}" for row in reading_patients(reading)]
    left.created = [ref for _, ref, is_new in signed if is_new]
    _acts(left, _by_op(signed), laid, audits, frozen)
    acts = {line[1] for line in told if line[0] == "act"}
    left.lost += ["an act that was told is not there"] * len(acts - set(left.states))
    cache.writer.run(lambda writing: _drafts(writing, told, user_ref, left))
    return left


def reading_patients(reading: Any) -> list[str]:
    """Ids of the patients that are here."""
    return sorted(cached.raw["id"] for cached in reading.find("Patient", order="id"))


def _by_op(rows: list[tuple[str, str, int]]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for op_id, ref, _ in rows:
        found.setdefault(op_id, set()).add(ref)
    return {op_id: frozenset(refs) for op_id, refs in found.items()}


def _acts(
    left: Left,
    signed: dict[str, frozenset[str]],
    laid: Counter[str],
    audits: Counter[frozenset[str]],
    frozen: dict[str, int],
) -> None:
    if set(signed) != set(left.states):
        left.torn.append("an act without resources, or resources without an act")
    if set(laid) - set(left.states):
        left.torn.append("an overlay of no act")
    for op_id, refs in signed.items():
        state = ActState(left.states.get(op_id, "withdrawn"))
        if laid[op_id] != (0 if state in TERMINAL else len(refs)):
            left.torn.append(f"{laid[op_id]} overlays of {len(refs)} resources, {state}")
        if state not in (ActState.QUEUED, ActState.WITHDRAWN) and not frozen[op_id]:
            left.torn.append(f"{state} without the bytes that were sent")
    expected = Counter(signed.values())
    left.torn += ["an act without its audit"] * (expected - audits).total()
    left.torn += ["an audit without its act"] * (audits - expected).total()


def _written(body: bytes) -> frozenset[str]:
    """What an act's audit names besides the patient; empty for readings."""
    event = orjson.loads(body)
    if event.get("action") not in ("C", "U"):
        return frozenset()
    refs = {str(entity.get("what", {}).get("reference", "")) for entity in event.get("entity", [])}
    return frozenset(ref for ref in refs if ref and not ref.startswith("Patient/"))


def _drafts(writing: Any, told: list[list[str]], user_ref: str, left: Left) -> None:
    newest = {line[1]: int(line[2]) for line in told if line[0] == "draft"}
    for patient, number in newest.items():
        typed = writing.keep.draft(user_ref, patient, "note")
        if not typed or int(typed) < number:
            left.lost.append("a draft that was told is not there")
