"""The one stylesheet, built from tokens. Colours and borders only: fonts are set as fonts.

Dynamic properties: `kind` of buttons (plain, primary, danger, quiet, rail), `tone` of labels (any
role that may be written in), `ground` of `panes.Ground` (any ground role).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from string import Template
from typing import Final

from ui.widgets.palettes import GROUNDS, INKS

_SHEET: Final = Path(__file__).resolve().parents[2] / "resources" / "themes" / "clinician.qss"


def build(value: Callable[[str], str], px: Callable[[int], int], row_height: int) -> str:
    """The stylesheet for a palette (`value` of a role), a type scale and a row height."""
    from ui.widgets import images

    words = {str(role): value(role) for role in (*GROUNDS, *INKS, "line", "on_accent")}
    tick = max(18, px(13) + 2)
    words |= {
        "control": str(max(24, row_height - 4)),
        # Where all grounds are black only a line tells panes apart.
        "pane_border": f"1px solid {value('line')}"
        if value("surface") == value("surface_raised")
        else "none",
        "tick": str(tick),
        "tick_half": str(tick // 2),
        "caret": images.file("caret-down", value("ink_quiet")),
        "tick_image": images.file("check", value("on_accent")),
    }
    tones = "\n".join(
        f'QLabel[tone="{role}"], QPushButton[tone="{role}"] {{ color: {value(role)}; }}'
        for role in (*INKS, "on_accent")
    )
    # By class, not by *: a universal rule is tried on every widget there is.
    grounds = "\n".join(
        f'Ground[ground="{role}"] {{ background: {value(role)}; }}' for role in (*GROUNDS, *INKS[2:])
    )
    return Template(_SHEET.read_text("utf-8")).substitute(words) + tones + "\n" + grounds
