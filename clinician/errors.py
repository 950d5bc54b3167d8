"""The error tree.

ClinicianError
├── UserProblem      the person can mend it; shown beside the field
│   └── SecretNeeded     the stored data wait for a password
├── Refused          access said no; carries the reason and the way out
├── Environment      the world around us; status strip, work goes on
│   ├── Offline          the record does not answer
│   ├── RecordTrouble    the record answers, but not with what FHIR promises
│   ├── DiskFull         nothing can be written; nothing was lost
│   ├── CacheInUse       another program holds this cache
│   ├── WrongKey         the key does not open the file; the file is kept
│   └── CacheDamaged     the file does not read; the file is kept
├── MissingTable     a dated fact table does not cover the day asked for
├── Conflict         somebody changed the same thing; parked, never lost
└── Bug              ours; a redacted report can be viewed
"""

from __future__ import annotations

from clinician.texts import Text


class ClinicianError(Exception):
    """Root of every error a person may meet.

    text: what happened, what is safe and what to do, in the person's language.
    way_out: the label of the action that helps, if there is one.
    detail: for the log; never a name, an identity number or a full URL.
    """

    def __init__(self, text: Text, *, way_out: Text | None = None, detail: str = "") -> None:
        super().__init__(detail or text.msgid)
        self.text = text
        self.way_out = way_out
        self.detail = detail


class UserProblem(ClinicianError):
    """Input that cannot be accepted as it stands; `field` names the control."""

    def __init__(self, text: Text, *, field: str = "", detail: str = "") -> None:
        super().__init__(text, detail=detail)
        self.field = field


class SecretNeeded(UserProblem):
    """The stored data are locked until somebody gives their password for this PC.

    people: (who, name) of those who have one; () where only the PC's own opens it. new_least: there is
    none yet, and one of so many characters must be chosen; 0 otherwise.
    """

    def __init__(self, text: Text, *, people: tuple[tuple[str, str], ...] = (), new_least: int = 0) -> None:
        super().__init__(text, field="secret", detail="new secret" if new_least else "secret needed")
        self.people = people
        self.new_least = new_least

    @property
    def is_new(self) -> bool:
        """One must be chosen."""
        return self.new_least > 0


class Refused(ClinicianError):
    """Access decided no."""


class Environment(ClinicianError):
    """Network, disk, key or file trouble. Work goes on where it can."""


class Offline(Environment):
    """The record does not answer."""


class RecordTrouble(Environment):
    """The record answers with something FHIR does not promise (HTML, half a page, 500)."""


class DiskFull(Environment):
    """The disk is full; the last write was rolled back as a whole."""


class CacheInUse(Environment):
    """Another program holds this cache."""


class WrongKey(Environment):
    """The key does not open this file. The file is untouched."""


class CacheDamaged(Environment):
    """The file opens but does not read whole. The file is kept."""


class MissingTable(ClinicianError):
    """No loaded fact table covers the day asked for; `table` names it."""

    def __init__(self, text: Text, *, table: str, detail: str = "") -> None:
        super().__init__(text, detail=detail or table)
        self.table = table


class Conflict(ClinicianError):
    """The record holds a newer version of what this act changes."""


class Bug(ClinicianError):
    """An error of ours."""
