"""What a practice folder says about itself: practice.toml beside record.sqlite."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Final

from clinician.errors import CacheDamaged
from clinician.texts import lazy

L = lazy("practice")

FILE: Final = "practice.toml"
RECORD: Final = "record.sqlite"


@dataclass(frozen=True, slots=True)
class PracticeInfo:
    """A practice municipality. References are 'Type/id'; version is that of the generator."""

    version: int
    seed: int
    people: int
    day: date
    municipality: str
    resources: int
    """how many the record was filled with"""
    workplace_ref: str
    """default workplace: zone Nord"""
    workplace_name: str
    practitioner_ref: str
    """who signs in when nobody is chosen: a nurse in Nord with eleven visits today"""
    practitioner_name: str
    coordinator_ref: str
    """coordinator of Nord (T3)"""
    absent_ref: str
    """Kari, who falls ill in T3"""


def is_practice(folder: Path) -> bool:
    """Whether a folder holds a whole practice municipality; a torn creation is none."""
    return (folder / FILE).is_file() and (folder / RECORD).is_file()


def read(folder: Path) -> PracticeInfo:
    """The description of a practice folder. Raises CacheDamaged when it does not read."""
    try:
        held = tomllib.loads((folder / FILE).read_text("utf-8"))
        return PracticeInfo(**held)
    except (OSError, ValueError, TypeError) as error:
        raise CacheDamaged(
            L(
                "The description of the practice municipality cannot be read. Nothing was changed."
                " Make a new one in another folder."
            ),
            detail=type(error).__name__,
        ) from error


def write(folder: Path, info: PracticeInfo) -> None:
    """Write practice.toml. Texts hold no control characters or backslashes by construction."""
    lines = [f"{name} = {_toml(value)}" for name, value in asdict(info).items()]
    (folder / FILE).write_text("\n".join(lines) + "\n", "utf-8")


def _toml(value: object) -> str:
    if isinstance(value, int):
        return str(value)
    return value.isoformat() if isinstance(value, date) else '"' + str(value).replace('"', '\\"') + '"'
