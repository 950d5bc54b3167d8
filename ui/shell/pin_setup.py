"""Choosing a first PIN: the code a superuser handed over where one is needed, then the PIN, twice."""

from __future__ import annotations

from dataclasses import dataclass

from clinician.access.pin_state import CODE_DIGITS, PinState
from clinician.texts import Text, lazy
from ui.shell.pin_pad import LENGTH

L = lazy("ui")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the pad asks for now."""

    words: Text
    digits: int


@dataclass(frozen=True, slots=True)
class Chosen:
    """Everything is said: the PIN, and the code or ''."""

    pin: str
    code: str


class PinSetup:
    """One person's steps. `take` what was typed; it says what comes next."""

    def __init__(self, state: PinState) -> None:
        self._needs_code = state is PinState.CODE
        self._code = self._pin = ""
        self.problem: Text | None = None

    @property
    def asked(self) -> Asked:
        """What is asked for now."""
        if self._needs_code and not self._code:
            return Asked(L("Write the code you got from your superuser."), CODE_DIGITS)
        if not self._pin:
            return Asked(L("Choose a PIN of four digits."), LENGTH)
        return Asked(L("The same PIN once more."), LENGTH)

    def take(self, digits: str) -> Chosen | None:
        """The digits of this step; the whole choice when it was the last."""
        self.problem = None
        if self._needs_code and not self._code:
            self._code = digits
        elif not self._pin:
            self._pin = digits
        elif digits == self._pin:
            return Chosen(self._pin, self._code)
        else:
            self._pin = ""
            self.problem = L("The two were not the same. Choose once more.")
        return None

    def again(self) -> None:
        """It was refused: from the beginning."""
        self._code = self._pin = ""
