"""The chunked cipher: what was sealed comes back whole, and nothing else is ever taken for it."""

from __future__ import annotations

import io
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinician.cache import sealed
from clinician.cache.sealed import CHUNK, HEADER, TAG, Sealer, Unsealable, unseal

KEY = bytes(range(32))
SIZES = st.one_of(
    st.integers(0, 300),
    st.integers(CHUNK - 2, CHUNK + 2),
    st.integers(2 * CHUNK - 1, 2 * CHUNK + 1),
)
QUICK = settings(max_examples=25, deadline=None)


def content_of(size: int) -> bytes:
    return (bytes(range(251)) * (size // 251 + 1))[:size]


def seal(content: bytes, key: bytes = KEY, *, step: int = 300_000) -> bytes:
    out = io.BytesIO()
    sealer = Sealer(out.write, key)
    for at in range(0, len(content), step):
        sealer.feed(content[at : at + step])
    sealer.finish()
    return out.getvalue()


def opened(file: bytes, key: bytes = KEY) -> bytes:
    return b"".join(unseal(io.BytesIO(file), key))


@QUICK
@given(size=SIZES, step=st.integers(1000, 3 * CHUNK))
def test_that_what_was_sealed_comes_back_whole(size: int, step: int) -> None:
    file = seal(content_of(size), step=step)
    assert opened(file) == content_of(size)
    assert len(file) == sealed.sealed_size(size)


@QUICK
@given(size=SIZES, data=st.data())
def test_that_any_changed_byte_is_noticed(size: int, data: st.DataObject) -> None:
    file = bytearray(seal(content_of(size)))
    place = data.draw(st.integers(0, len(file) - 1))
    file[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Unsealable):
        opened(bytes(file))


@QUICK
@given(size=SIZES, data=st.data())
def test_that_a_cut_file_is_noticed_also_at_the_edge_of_a_chunk(size: int, data: st.DataObject) -> None:
    file = seal(content_of(size))
    edges = list(range(HEADER, len(file), CHUNK + TAG))
    length = data.draw(st.one_of(st.sampled_from(edges), st.integers(0, len(file) - 1)))
    with pytest.raises(Unsealable):
        opened(file[:length])


def chunks_of(file: bytes) -> list[bytes]:
    return [file[at : at + CHUNK + TAG] for at in range(HEADER, len(file), CHUNK + TAG)]


@pytest.mark.parametrize("order", [(1, 0, 2), (0, 0, 2), (0, 2), (2,), (0, 1, 2, 2), (2, 1, 0), (1, 2)])
def test_that_chunks_moved_repeated_or_left_out_are_noticed(order: tuple[int, ...]) -> None:
    file = seal(content_of(2 * CHUNK + 77))
    parts = chunks_of(file)
    assert len(parts) == 3
    with pytest.raises(Unsealable):
        opened(file[:HEADER] + b"".join(parts[number] for number in order))


def test_that_a_chunk_of_another_file_under_the_same_key_is_noticed() -> None:
    one, other = seal(content_of(2 * CHUNK)), seal(content_of(2 * CHUNK))
    with pytest.raises(Unsealable):
        opened(one[: HEADER + CHUNK + TAG] + other[HEADER + CHUNK + TAG :])


@QUICK
@given(key=st.binary(min_size=32, max_size=32).filter(lambda key: key != KEY), size=SIZES)
def test_that_another_key_opens_nothing(key: bytes, size: int) -> None:
    with pytest.raises(Unsealable):
        opened(seal(content_of(size)), key)


def test_that_what_was_not_finished_does_not_open() -> None:
    out = io.BytesIO()
    Sealer(out.write, KEY).feed(content_of(2 * CHUNK + 5))
    with pytest.raises(Unsealable):
        opened(out.getvalue())


@QUICK
@given(done=st.integers(0, 3 * CHUNK), lost=st.integers(0, CHUNK), spoil=st.booleans())
def test_that_an_interrupted_sealing_goes_on_and_ends_as_if_it_had_not_been(
    done: int, lost: int, spoil: bool
) -> None:
    """Whatever of the file reached the disk, resuming keeps only what is proved and the end is whole."""
    content = content_of(3 * CHUNK + 99)
    out = io.BytesIO()
    Sealer(out.write, KEY).feed(content[:done])
    left = bytearray(out.getvalue()[: max(HEADER, len(out.getvalue()) - lost)])
    if spoil and len(left) > HEADER:
        left[-1] ^= 1
    seen = bytearray()
    header, chunks = sealed.resume(io.BytesIO(bytes(left)), KEY, seen.extend)
    assert bytes(seen) == content[: chunks * CHUNK]
    whole = io.BytesIO(bytes(left[: sealed.place_of(chunks)]))
    whole.seek(0, os.SEEK_END)
    sealer = Sealer(whole.write, KEY, resumed=(header, chunks))
    sealer.feed(content[chunks * CHUNK :])
    sealer.finish()
    assert opened(whole.getvalue()) == content


def test_that_two_sealings_of_the_same_content_look_unlike() -> None:
    assert seal(b"the same") != seal(b"the same")
