"""The values behind the colour roles: light, dark and high contrast.

Text reaches 4.5:1 (7:1 in high contrast) on every ground it may lie on, lines and glyphs 3:1
(WCAG 2.1 1.4.3, 1.4.6 and 1.4.11); tests/ui/widgets/test_theme.py computes every pair.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What a colour means. Code names roles, never colours."""

    SURFACE = "surface"
    SURFACE_RAISED = "surface_raised"
    SURFACE_SUNKEN = "surface_sunken"
    HOVER = "hover"
    SELECTION = "selection"
    INK = "ink"
    INK_QUIET = "ink_quiet"
    LINE = "line"
    ACCENT = "accent"
    ON_ACCENT = "on_accent"
    NOW = "now"
    DONE = "done"
    WARN = "warn"
    DANGER = "danger"
    OFFLINE = "offline"
    PRACTICE = "practice"
    NOW_SOFT = "now_soft"
    DONE_SOFT = "done_soft"
    WARN_SOFT = "warn_soft"
    DANGER_SOFT = "danger_soft"
    OFFLINE_SOFT = "offline_soft"
    PRACTICE_SOFT = "practice_soft"


GROUNDS: Final = (
    Role.SURFACE,
    Role.SURFACE_RAISED,
    Role.SURFACE_SUNKEN,
    Role.HOVER,
    Role.SELECTION,
    Role.NOW_SOFT,
    Role.DONE_SOFT,
    Role.WARN_SOFT,
    Role.DANGER_SOFT,
    Role.OFFLINE_SOFT,
    Role.PRACTICE_SOFT,
)
"""What text may lie on."""

INKS: Final = (
    Role.INK,
    Role.INK_QUIET,
    Role.ACCENT,
    Role.NOW,
    Role.DONE,
    Role.WARN,
    Role.DANGER,
    Role.OFFLINE,
    Role.PRACTICE,
)
"""What may be written or drawn in; ON_ACCENT is written on any of the last seven as a fill."""

LIGHT: Final[dict[Role, str]] = {
    Role.SURFACE: "#F5F6F8",
    Role.SURFACE_RAISED: "#FFFFFF",
    Role.SURFACE_SUNKEN: "#E9ECF1",
    Role.HOVER: "#EDF1F7",
    Role.SELECTION: "#D9E7F8",
    Role.INK: "#17202B",
    Role.INK_QUIET: "#505B68",
    Role.LINE: "#788390",
    Role.ACCENT: "#0B5CAD",
    Role.ON_ACCENT: "#FFFFFF",
    Role.NOW: "#0B6B78",
    Role.DONE: "#1F7040",
    Role.WARN: "#8A5000",
    Role.DANGER: "#B3211A",
    Role.OFFLINE: "#44607F",
    Role.PRACTICE: "#6F34BF",
    Role.NOW_SOFT: "#E1F2F3",
    Role.DONE_SOFT: "#E3F3E9",
    Role.WARN_SOFT: "#FDF0D8",
    Role.DANGER_SOFT: "#FCE8E6",
    Role.OFFLINE_SOFT: "#E6ECF3",
    Role.PRACTICE_SOFT: "#F0E8FC",
}

DARK: Final[dict[Role, str]] = {
    Role.SURFACE: "#14181E",
    Role.SURFACE_RAISED: "#1B2129",
    Role.SURFACE_SUNKEN: "#0E1116",
    Role.HOVER: "#242C37",
    Role.SELECTION: "#20405F",
    Role.INK: "#EAEEF3",
    Role.INK_QUIET: "#AEB8C4",
    Role.LINE: "#8793A1",
    Role.ACCENT: "#74B7FF",
    Role.ON_ACCENT: "#08131F",
    Role.NOW: "#5CCBD6",
    Role.DONE: "#74CF97",
    Role.WARN: "#F2BA5E",
    Role.DANGER: "#FF9C93",
    Role.OFFLINE: "#A9BDD4",
    Role.PRACTICE: "#C9A8FF",
    Role.NOW_SOFT: "#12343A",
    Role.DONE_SOFT: "#17352A",
    Role.WARN_SOFT: "#3A2C10",
    Role.DANGER_SOFT: "#421F1D",
    Role.OFFLINE_SOFT: "#222D3B",
    Role.PRACTICE_SOFT: "#33224C",
}

CONTRAST: Final[dict[Role, str]] = {
    Role.SURFACE: "#000000",
    Role.SURFACE_RAISED: "#000000",
    Role.SURFACE_SUNKEN: "#000000",
    Role.HOVER: "#1F1F1F",
    Role.SELECTION: "#002A52",
    Role.INK: "#FFFFFF",
    Role.INK_QUIET: "#E4E4E4",
    Role.LINE: "#FFFFFF",
    Role.ACCENT: "#FFE14D",
    Role.ON_ACCENT: "#000000",
    Role.NOW: "#4DE8FF",
    Role.DONE: "#6BFF9C",
    Role.WARN: "#FFB84D",
    Role.DANGER: "#FFA79F",
    Role.OFFLINE: "#C4D8FF",
    Role.PRACTICE: "#DDBBFF",
    Role.NOW_SOFT: "#00262B",
    Role.DONE_SOFT: "#002611",
    Role.WARN_SOFT: "#2B1D00",
    Role.DANGER_SOFT: "#330906",
    Role.OFFLINE_SOFT: "#101A26",
    Role.PRACTICE_SOFT: "#22103A",
}

PALETTES: Final[dict[str, dict[Role, str]]] = {"light": LIGHT, "dark": DARK, "contrast": CONTRAST}
