"""Finding a patient by what a person types: words in any order, as prefixes, forgiving of spelling."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from clinician.cache.folding import typed_words
from clinician.cache.indexer import room_of, words_of_patient
from clinician.cache.overlays import Overlays
from clinician.cache.packing import NUMBER, PATIENT, Packed, pack_id, unpack_id

_EPISODE = NUMBER["EpisodeOfCare"]
_HITS = (
    "SELECT r.sort_key, r.id FROM fts AS f JOIN resource AS r ON r.rid = f.rowid "
    "WHERE f.fts MATCH ? ORDER BY r.sort_key, r.id LIMIT ?"
)


class PatientSearch:
    """One search on one snapshot. Patients whose row or stay has an overlay are matched by reading."""

    def __init__(self, execute: Callable[..., Any], overlays: Overlays) -> None:
        self._execute = execute
        self._overlays = overlays

    def refs(self, words: Sequence[str], limit: int) -> list[str]:
        """'Patient/…' of the first `limit` hits by name; nothing typed finds nobody."""
        typed = typed_words(list(words))
        if not typed:
            return []
        changed = self._changed()
        match = " ".join(f'"{word}"*' for word in typed)
        rows = self._execute(_HITS, (match, limit + len(changed)))
        hits = [(key, packed) for key, packed in rows if packed not in changed]
        hits += [(key, packed) for key, packed in self._read(changed) if self._matches(packed, typed)]
        hits.sort(key=lambda hit: (hit[0], unpack_id(hit[1])))
        return [f"Patient/{unpack_id(packed)}" for _, packed in hits[:limit]]

    def _changed(self) -> frozenset[Packed]:
        patients = set(self._overlays.of_type(PATIENT))
        for overlay in self._overlays.of_type(_EPISODE).values():
            patients.add(pack_id(self._overlays.columns(overlay).patient.removeprefix("Patient/")))
        return frozenset(patients)

    def _read(self, changed: frozenset[Packed]) -> Iterator[tuple[str, Packed]]:
        for packed in changed:
            overlay = self._overlays.get(PATIENT, packed)
            if overlay is not None:
                yield self._overlays.columns(overlay).sort_key or "", packed
                continue
            row = self._execute(
                "SELECT sort_key FROM resource WHERE type = ? AND id = ?", (PATIENT, packed)
            ).fetchone()
            if row is not None:
                yield row[0], packed

    def _matches(self, packed: Packed, typed: list[str]) -> bool:
        held = self._words(packed)
        return all(any(word.startswith(prefix) for word in held) for prefix in typed)

    def _words(self, packed: Packed) -> list[str]:
        overlay = self._overlays.get(PATIENT, packed)
        if overlay is not None:
            raw = self._overlays.raw(overlay)
        else:
            (body,) = self._execute(
                "SELECT body FROM resource WHERE type = ? AND id = ?", (PATIENT, packed)
            ).fetchone()
            raw = self._overlays.press.read(body)
        return words_of_patient(raw, tuple(self._rooms(packed))).split()

    def _rooms(self, packed: Packed) -> Iterator[str]:
        changed = self._overlays.of_type(_EPISODE)
        rows = self._execute(
            "SELECT id, body FROM resource WHERE patient = ? AND type = ?", (packed, _EPISODE)
        )
        for id_, body in rows:
            if id_ not in changed:
                yield room_of(self._overlays.press.read(body))
        for overlay in changed.values():
            if pack_id(self._overlays.columns(overlay).patient.removeprefix("Patient/")) == packed:
                yield room_of(self._overlays.raw(overlay))
