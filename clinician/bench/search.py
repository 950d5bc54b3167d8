"""Finding a person as one types: two beginnings of names, the first letters, a whole identity number.

The floor reads and parses the same people by key from a bare table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import orjson

from clinician.bench.floor import BareStore
from clinician.bench.measure import Measure, seconds, spread, tidy
from clinician.bench.people import patients, register
from clinician.cache.open import Cache
from clinician.cache.reading import Reading
from clinician.queries.patients import patient_hits

Look = Callable[[Reading, list[str]], Sequence[Any]]


def search(folder: Path, number: int, samples: int) -> Iterator[Measure]:
    """Rows for a register of `number` people; `samples` people are looked for."""
    label = f"{number // 1000}k" if number >= 1000 else str(number)
    folder.mkdir(parents=True)
    cache = register(folder / "cache", number)
    bare = BareStore(folder / "bare.db")
    bare.put((f"Patient/{raw['id']}", orjson.dumps(raw)) for raw in patients(number))
    asked = _asked(number, samples)
    try:
        for bench, words, look in (
            (f"name search {label}", [two for two, _, _ in asked], _found),
            (f"name search {label}, one letter", [one for _, one, _ in asked], _found),
            (f"name search {label}, as the palette shows it", [two for two, _, _ in asked], _hits),
            (f"identifier {label}", [whole for _, _, whole in asked], _found),
        ):
            yield from _timed(bench, cache, bare, words, look)
    finally:
        bare.close()
        cache.close()


def _asked(number: int, samples: int) -> list[tuple[list[str], list[str], list[str]]]:
    """What is typed for each: (two beginnings, one letter, the whole number)."""
    people = list(patients(number))
    drawn = Random(7).sample(people, min(samples, number))
    return [
        (
            [raw["name"][0]["given"][0][:3], raw["name"][0]["family"][:3]],
            [raw["name"][0]["family"][:1]],
            [raw["identifier"][0]["value"]],
        )
        for raw in drawn
    ]


def _found(reading: Reading, words: list[str]) -> Sequence[Any]:
    return reading.search_patients(words, limit=50)


def _hits(reading: Reading, words: list[str]) -> Sequence[Any]:
    return patient_hits(reading, words=" ".join(words))


def _timed(
    bench: str, cache: Cache, bare: BareStore, words: list[list[str]], look: Look
) -> tuple[Measure, Measure]:
    tidy()
    spent, floors = [], []
    with cache.reading() as reading:
        for typed in words[:5]:
            look(reading, typed)
        for typed in words:
            refs = [getattr(one, "ref", None) or one.key for one in look(reading, typed)]
            spent.append(seconds(partial(look, reading, typed)))
            floors.append(seconds(partial(bare.read, refs)))
    return spread(bench, spent, floors)
