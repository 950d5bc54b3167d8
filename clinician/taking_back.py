"""Take an act back and lay what was typed in it out again, for the person to put right."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from clinician import texts
from clinician.cache.acts import ActState
from clinician.cache.open import Cache
from clinician.errors import ClinicianError, UserProblem
from clinician.modulekit.registry import Registry
from clinician.modulekit.reopening import Refill, Reopened
from clinician.sync.engine import SyncEngine
from clinician.sync.recalled import is_there

L = texts.lazy("core")
_log = logging.getLogger(__name__)


class Drafts(Protocol):
    """What the person signed in has typed."""

    def save(self, key: str, patient_ref: str, content: str) -> None: ...
    def load(self, key: str, patient_ref: str) -> str: ...


class Desk(Protocol):
    """The workstation, as far as taking back needs it."""

    @property
    def cache(self) -> Cache: ...
    @property
    def registry(self) -> Registry: ...
    @property
    def drafts(self) -> Drafts: ...


class Connected(Protocol):
    """The workstation, as far as its record is asked."""

    @property
    def cache(self) -> Cache: ...
    @property
    def engine(self) -> SyncEngine: ...

    def retry(self, op_id: str) -> None: ...


def refuse_arrived(station: Connected, op_id: str) -> None:
    """Raises UserProblem where an act that was set aside is at the record after all; it then counts as sent.

    Where there is no contact, or the record does not say, nothing is raised: it is asked after later.
    """
    with station.cache.reading() as reading:
        act, doubtful = reading.act(op_id), reading.recalled()
    if act is None or (act.state != ActState.PARKED and op_id not in doubtful):
        return
    if station.engine.board.answered and is_there(station.engine.line, op_id):
        station.retry(op_id)
        raise UserProblem(
            L(
                "The record has this after all, so it is not taken back: it counts as sent. Put it right "
                "where it stands."
            )
        )


def take_back(station: Desk, op_id: str, withdraw: Callable[[], None]) -> Reopened | None:
    """Withdraw one act; where a module knows how, say which view goes on, with the drafts already kept.

    The drafts are on disk before the act is gone. Raises UserProblem when it is on its way or settled.
    """
    found = _reopened(station, op_id)
    if found is not None:
        drafts = tuple(_with_what_is_there(station, draft) for draft in found.drafts)
        for draft in drafts:
            station.drafts.save(draft.key, draft.patient_ref, draft.content)
        found = replace(found, drafts=drafts)
    withdraw()
    return found


def _reopened(station: Desk, op_id: str) -> Reopened | None:
    with station.cache.reading() as reading:
        act = reading.act(op_id)
        raws = [entry.raw for entry in reading.entries(op_id)]
        if act is None:
            return None
        for manifest in station.registry.manifests():
            for reopen in manifest.reopens:
                if act.kind in reopen.acts:
                    return _asked(station, manifest.id, reopen.function, (reading, raws))
    return None


def _asked(station: Desk, module_id: str, function: str, given: tuple[object, ...]) -> Reopened | None:
    """A module's fault must not keep an act from being taken back."""
    try:
        found = station.registry.resolve(module_id, function)(*given)
    except (ClinicianError, LookupError, TypeError, ValueError, AttributeError) as fault:
        _log.warning("module %s could not open an act again: %s", module_id, type(fault).__name__)
        return None
    return found if isinstance(found, Reopened) else None


def _with_what_is_there(station: Desk, draft: Refill) -> Refill:
    """What the person has begun there meanwhile stays: text before text, and in a form field by field."""
    there = station.drafts.load(draft.key, draft.patient_ref)
    if not there or there == draft.content:
        return draft
    one, two = _fields(there), _fields(draft.content)
    both = f"{there}\n\n{draft.content}" if one is None or two is None else json.dumps({**two, **one})
    return Refill(draft.key, draft.patient_ref, both)


def _fields(content: str) -> dict[str, object] | None:
    try:
        held = json.loads(content)
    except ValueError:
        return None
    return held if isinstance(held, dict) else None
