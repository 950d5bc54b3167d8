"""Who may choose a PIN on this PC, and how, while no identity provider says who anybody is.

The first superuser of a workplace chooses at once: whoever opened the PC let them. Everybody else needs a
code that a superuser, signed in, hands over face to face.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from clinician import texts
from clinician.access.pin_state import PinState
from clinician.access.pins import Pins
from clinician.access.who import SUPERUSER, Who
from clinician.commands.bus import CommandBus
from clinician.errors import Refused
from clinician.queries.staff import StaffRow

L = texts.lazy("core")
__all__ = ["PinDesk", "PinState"]


class PinDesk:
    """Chooses and hands out. Every refusal says who can help."""

    def __init__(
        self,
        pins: Pins,
        staff: Callable[[], Sequence[StaffRow]],
        bus: CommandBus,
        person: Callable[[], Who],
        *,
        everybody_has: bool = False,
    ) -> None:
        self._pins, self._staff, self._bus, self._person = pins, staff, bus, person
        self._everybody_has = everybody_has

    def state(self, practitioner_ref: str) -> PinState:
        """Of one person of the workplace."""
        if self._everybody_has or self._pins.has_pin(practitioner_ref):
            return PinState.HAS
        return PinState.FIRST if self._may_be_first(practitioner_ref) else PinState.CODE

    def _may_be_first(self, practitioner_ref: str) -> bool:
        staff = self._staff()
        if any(self._pins.has_pin(row.key) for row in staff):
            return False
        trusted = {row.key for row in staff if SUPERUSER in row.functions}
        return not trusted or practitioner_ref in trusted

    def choose(self, practitioner_ref: str, pin: str, code: str = "") -> None:
        """A first PIN, or a new one with a code. Raises Refused or UserProblem."""
        if not code and self.state(practitioner_ref) is PinState.FIRST:
            self._pins.choose_first(practitioner_ref, pin)
        else:
            self._pins.redeem(practitioner_ref, code, pin)

    def issue_code(self, practitioner_ref: str) -> str:
        """A code for a colleague, good for half an hour; logged. Raises Refused for who is no superuser."""
        who = self._person()
        if not who.is_superuser:
            raise Refused(L("Only a superuser can hand out a code for a new PIN."))
        if practitioner_ref not in {row.key for row in self._staff()}:
            raise Refused(L("This person has no role at this workplace. Ask the workplace's superuser."))
        self._bus.record_decision(who, "issue_pin_code")
        return self._pins.issue_code(practitioner_ref)
