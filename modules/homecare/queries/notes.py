"""Ready sentences for notes."""

from __future__ import annotations

from clinician.queries.query import Reading, query
from modules.homecare.rows import QuickText


@query(watches=())
def quick_texts(reading: Reading) -> tuple[QuickText, ...]:
    """Short sentences a note may start from, in the language in force."""
    raise NotImplementedError
