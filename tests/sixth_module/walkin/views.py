"""What the desk shows."""

from __future__ import annotations

from typing import Any

from walkin.queries import arrived


def make(ctx: Any) -> tuple[str, ...]:
    """Stands for a widget: the keys of those who have come."""
    return tuple(row.key for row in ctx.queries.now(arrived))
