"""The keys of a view, for the status strip: kept as words, handed over in pairs."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget


def show_hints(view: QWidget, words: str) -> None:
    """Keep 'Space = done · I = not home' on the view."""
    view.setProperty("keyHints", words)


def hint_pairs(view: QWidget) -> tuple[tuple[str, str], ...]:
    """(('Space', 'done'), ('I', 'not home'))."""
    parts = (part.partition("=") for part in str(view.property("keyHints") or "").split("·"))
    return tuple((key.strip(), what.strip()) for key, _equals, what in parts if what)
