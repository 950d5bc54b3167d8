"""Where finished documents are put: the person's own folder, never over another one."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QStandardPaths


def documents_folder(otherwise: Path) -> Path:
    """The folder 'Clinician' among the person's documents; in `otherwise` where the system has none."""
    place = QStandardPaths.StandardLocation.DocumentsLocation
    return Path(QStandardPaths.writableLocation(place) or str(otherwise)) / "Clinician"


def write_document(folder: Path, name: str, content: bytes) -> Path:
    """Write a document under a free name near `name`. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    path = _free_name(folder, name)
    path.write_bytes(content)
    return path


def _free_name(folder: Path, name: str) -> Path:
    clean = "".join("_" if letter in '/\\:*?"<>|' or ord(letter) < 32 else letter for letter in name)
    path = folder / (clean.strip(". ") or "dokument.pdf")
    number = 2
    while path.exists():
        path = path.with_stem(f"{Path(clean).stem} ({number})")
        number += 1
    return path
