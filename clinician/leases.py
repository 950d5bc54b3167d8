"""Reading locks on a PC that has been without contact for too long; what waits is sent all the same."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from clinician import texts
from clinician.access.lease import DEFAULT_HOURS, LEAST_HOURS, MOST_HOURS
from clinician.errors import Refused
from clinician.settings import Declared, Settings
from clinician.sync.contact import note_contact
from clinician.sync.engine import SyncEngine

L = texts.lazy("core")
HOURS: Final = Declared(
    "access.offline_hours",
    "number",
    DEFAULT_HOURS,
    minimum=LEAST_HOURS,
    maximum=MOST_HOURS,
    level="workplace",
)


class Leases:
    """The offline lease of this PC. Its length is the municipality's or the workplace's to set."""

    def __init__(self, engine: SyncEngine, settings: Settings) -> None:
        settings.declare(HOURS)
        self.length = timedelta(hours=float(settings.get(HOURS.key)))
        self._engine = engine
        engine.board.lease = self.length

    def refuse_when_over(self) -> None:
        """Raises Refused with what is safe and what helps; nothing while the lease runs."""
        line = self._engine.line
        now = line.clock.now()
        contact = line.write(lambda writing: note_contact(writing, now, answered=False))
        if contact.is_over(now, self.length):
            hours = round(self.length.total_seconds() / 3600)
            raise Refused(
                L(
                    "This PC has been without contact with the central record for more than {hours} hours. "
                    "What it shows may be wrong and stays locked. What was done here is kept and is sent by "
                    "itself. Connect the PC to the network; it opens as soon as the record answers.",
                    hours=hours,
                ),
                way_out=L("Connect to the network"),
                detail="offline lease over",
            )
