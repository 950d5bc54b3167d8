"""Tinted icons as files, for the few places where a stylesheet wants an address.

They lie in a folder of this process that is removed at exit; stylesheets accept no data in line.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).resolve().parents[2] / "resources" / "icons"


@cache
def _made() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="clinician-theme-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def file(name: str, colour: str) -> str:
    """The address of the icon `name` in `colour` ('#RRGGBB'), with forward slashes."""
    path = _made() / f"{name}-{colour.lstrip('#')}.svg"
    path.write_text(
        (_FOLDER / f"{name}.svg").read_text("utf-8").replace("currentColor", colour), encoding="utf-8"
    )
    return path.as_posix()
