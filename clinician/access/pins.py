"""PINs: Argon2id, and a lock after five wrong ones that survives a restart.

A try is counted and kept before it is judged, so pulling the plug does not give a sixth.
"""

from __future__ import annotations

import json
import secrets
import threading
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final, Protocol

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from clinician import texts
from clinician.access.pin_state import CODE_DIGITS
from clinician.clock import Clock
from clinician.errors import Refused, UserProblem
from clinician.texts import Text

L = texts.lazy("access")

TRIES: Final = 5
FIRST_LOCK: Final = timedelta(minutes=5)
LONGEST_LOCK: Final = timedelta(hours=1)
SHORTEST: Final = 4
LONGEST: Final = 12
CODE_LASTS: Final = timedelta(minutes=30)
_COMMON: Final = ("0123", "1234", "4321", "2580", "1212", "1122", "6969", "2026", "2025")


class PinStore(Protocol):
    """Where PINs are kept: durable before `save` returns."""

    def load(self, user_ref: str) -> str | None:
        """What was saved, or None."""
        ...

    def save(self, user_ref: str, body: str) -> None:
        """Keep it, synchronously."""
        ...


def weakness(pin: str) -> Text | None:
    """Why a PIN is easy to guess, for the page where it is chosen; None when it is not."""
    if len(set(pin)) == 1 or pin in _COMMON:
        return L("This PIN is one of the first people guess.")
    steps = {ord(b) - ord(a) for a, b in pairwise(pin)}
    if steps in ({1}, {-1}):
        return L("A PIN of digits in a row is easy to guess.")
    return None


def _check_strength(pin: str) -> None:
    problem = weakness(pin)
    if problem is not None:
        raise UserProblem(problem, field="pin")


class Pins:
    """Sets and checks PINs. Safe to call from several threads."""

    def __init__(self, store: PinStore, clock: Clock, hasher: PasswordHasher | None = None) -> None:
        self._store = store
        self._clock = clock
        self._hasher = hasher or PasswordHasher()
        self._lock = threading.Lock()

    def has_pin(self, user_ref: str) -> bool:
        """Whether the person has chosen one."""
        return bool(self._read(user_ref)["hash"])

    def set_pin(self, user_ref: str, pin: str) -> None:
        """Choose a PIN. Raises UserProblem unless it is 4–12 digits."""
        if not (pin.isascii() and pin.isdigit() and SHORTEST <= len(pin) <= LONGEST):
            raise UserProblem(
                L("A PIN has {least} to {most} digits.", least=SHORTEST, most=LONGEST), field="pin"
            )
        with self._lock:
            self._write(user_ref, {"hash": self._hasher.hash(pin), "wrong": 0, "locks": 0, "until": None})

    def issue_code(self, user_ref: str) -> str:
        """A code of six digits with which the person may choose a PIN, once, within half an hour.

        It opens nothing by itself, and an earlier PIN holds until it is used.
        """
        code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
        with self._lock:
            until = (self._clock.now() + CODE_LASTS).isoformat()
            kept = self._read(user_ref) | {"code": self._hasher.hash(code), "code_until": until}
            self._write(user_ref, kept | {"wrong": 0, "until": None})
        return code

    def redeem(self, user_ref: str, code: str, pin: str) -> None:
        """Choose a PIN with a code. Raises Refused for a wrong or old code, UserProblem for a weak PIN."""
        _check_strength(pin)
        with self._lock:
            kept = self._read(user_ref)
            until = self._locked(kept)
            if until is not None:
                raise self._is_locked(until)
            if not kept["code"] or datetime.fromisoformat(kept["code_until"]) < self._clock.now():
                raise Refused(
                    L("There is no code for you, or it is too old. Ask your superuser for a new one."),
                    way_out=L("Ask the superuser for a new PIN"),
                    detail="no code",
                )
            self._count(user_ref, kept)
            if not self._matches(kept["code"], code):
                raise self._wrong(kept)
        self.set_pin(user_ref, pin)

    def choose_first(self, user_ref: str, pin: str) -> None:
        """Choose a PIN where none is; who may is for the caller to decide. Raises UserProblem or Refused."""
        _check_strength(pin)
        if self.has_pin(user_ref):
            raise Refused(L("A PIN has been chosen already."), detail="has pin")
        self.set_pin(user_ref, pin)

    def change_pin(self, user_ref: str, old: str, new: str) -> None:
        """Change it after showing the old one. Raises Refused or UserProblem."""
        self.verify(user_ref, old)
        self.set_pin(user_ref, new)

    def locked_until(self, user_ref: str) -> datetime | None:
        """When the lock opens; None when it is open."""
        return self._locked(self._read(user_ref))

    def verify(self, user_ref: str, pin: str) -> None:
        """Nothing when the PIN is right. Raises Refused with the reason and what helps."""
        with self._lock:
            kept = self._read(user_ref)
            if not kept["hash"]:
                raise Refused(
                    L("No PIN has been chosen on this PC."), way_out=L("Choose a PIN"), detail="no pin"
                )
            until = self._locked(kept)
            if until is not None:
                raise self._is_locked(until)
            self._count(user_ref, kept)
            if not self._matches(kept["hash"], pin):
                raise self._wrong(kept)
            fresh = (
                kept["hash"] if not self._hasher.check_needs_rehash(kept["hash"]) else self._hasher.hash(pin)
            )
            self._write(user_ref, {"hash": fresh, "wrong": 0, "locks": 0, "until": None})

    def _count(self, user_ref: str, kept: dict[str, Any]) -> None:
        kept["wrong"] += 1
        if kept["wrong"] >= TRIES:
            lock = min(FIRST_LOCK * 2 ** min(kept["locks"], 8), LONGEST_LOCK)
            kept["until"] = (self._clock.now() + lock).isoformat()
            kept["locks"] += 1
            kept["wrong"] = 0
        else:
            kept["until"] = None
        self._write(user_ref, kept)

    def _matches(self, kept: str, pin: str) -> bool:
        try:
            return self._hasher.verify(kept, pin)
        except (VerificationError, InvalidHashError):
            return False

    def _wrong(self, kept: dict[str, Any]) -> Refused:
        until = self._locked(kept)
        if until is not None:
            return self._is_locked(until)
        left = TRIES - kept["wrong"]
        return Refused(
            L("The PIN is wrong. {left} tries are left before a pause.", left=left), detail="wrong pin"
        )

    def _is_locked(self, until: datetime) -> Refused:
        minutes = max(1, -int(-(until - self._clock.now()).total_seconds() // 60))
        return Refused(
            L(
                "Too many wrong PINs. Sign-in opens again in {minutes} min. "
                "Nothing is lost; drafts are kept.",
                minutes=minutes,
            ),
            way_out=L("Ask the superuser for a new PIN"),
            detail="pin locked",
        )

    def _locked(self, kept: dict[str, Any]) -> datetime | None:
        if kept["until"] is None:
            return None
        until = datetime.fromisoformat(kept["until"])
        now = self._clock.now()
        if until <= now:
            return None
        return min(until, now + LONGEST_LOCK)  # a clock set back does not lock for a year

    def _read(self, user_ref: str) -> dict[str, Any]:
        body = self._store.load(user_ref)
        kept: dict[str, Any] = {
            "hash": "",
            "wrong": 0,
            "locks": 0,
            "until": None,
            "code": "",
            "code_until": None,
        }
        return kept | json.loads(body) if body else kept

    def _write(self, user_ref: str, kept: dict[str, Any]) -> None:
        self._store.save(user_ref, json.dumps(kept))
