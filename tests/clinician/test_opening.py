"""A workstation opens whole or not at all: nothing is left open by a start that failed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clinician.errors import WrongKey
from clinician.events import Events, SyncStatus
from clinician.workstation import Options, Workstation

FILES = Path("/proc/self/fd")


class Deaf(Events):
    """Breaks the last step: nobody can listen."""

    def subscribe(self, kind: type[Any], handler: Callable[[Any], None]) -> Callable[[], None]:
        raise OSError("deaf")


def held_open(folder: Path) -> list[str]:
    """Files of the folder this program has open."""
    held = []
    for number in FILES.iterdir():
        with contextlib.suppress(OSError):  # the listing itself
            held.append(str(number.readlink()))
    return sorted(name for name in held if name.startswith(str(folder)))


@pytest.mark.skipif(not FILES.exists(), reason="open files are listed by Linux only")
@pytest.mark.parametrize(
    ("secret", "events", "fault"),
    [
        ("feil", None, WrongKey),
        ("", Deaf, OSError),
    ],
    ids=["key", "engine"],
)
def test_that_a_start_that_fails_leaves_nothing_open(
    folder: Path, secret: str, events: type[Events] | None, fault: type[Exception]
) -> None:
    with pytest.raises(fault):
        Workstation.open(Options(folder, secret=secret), events=events() if events else None)
    assert held_open(folder) == []
    with Workstation.open(Options(folder)) as station:
        assert held_open(folder) and isinstance(station.status(), SyncStatus)
    assert held_open(folder) == []
