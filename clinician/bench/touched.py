"""Counts what a query reads, so that its floor can read just that and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from clinician.cache.reading import Cached, Reading


class Touched:
    """A Reading that passes everything on and remembers the references it handed out."""

    def __init__(self, inner: Reading) -> None:
        self._inner = inner
        self.refs: dict[str, None] = {}

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found):
            return found

        def call(*args: Any, **kwargs: Any) -> Any:
            return self._noted(found(*args, **kwargs))

        return call

    def _noted(self, answer: Any) -> Any:
        if isinstance(answer, Cached):
            self.refs[answer.ref] = None
        elif isinstance(answer, Mapping):
            self._note(answer.values())
        elif isinstance(answer, Iterator):
            answer = list(answer)
            self._note(answer)
            return iter(answer)
        elif isinstance(answer, list | tuple):
            self._note(answer)
        return answer

    def _note(self, many: Iterable[Any]) -> None:
        self.refs.update({one.ref: None for one in many if isinstance(one, Cached)})
