"""What the key file of a practice municipality lies under: no secret, for nothing secret is in one."""

from __future__ import annotations

from typing import Final

PRACTICE_SECRET: Final = "practice"  # noqa: S105  it is in the source, for everybody
