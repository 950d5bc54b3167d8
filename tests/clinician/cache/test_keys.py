"""The key is made once, kept safe, and never made anew while there are data."""

from __future__ import annotations

import base64
from pathlib import Path

import keyring
import orjson
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail

from clinician.cache.keys import (
    KEY_FILE,
    SLOT_FILE,
    drop_slot,
    open_key,
    rewrap,
    set_slot,
    slots,
    stretch_ahead,
    system_key_store,
)
from clinician.errors import SecretNeeded, UserProblem, WrongKey


class Store:
    """A key store in memory; `mood` says how it fails."""

    def __init__(self, mood: str = "") -> None:
        self.held: dict[tuple[str, str], str] = {}
        self.mood = mood

    def get_password(self, service: str, username: str) -> str | None:
        if self.mood == "locked":
            raise RuntimeError("locked")
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.mood == "read-only":
            raise RuntimeError("read-only")
        if self.mood != "forgetful":
            self.held[service, username] = password


def test_that_the_key_lies_in_the_key_store_and_nowhere_else(tmp_path: Path) -> None:
    store = Store()
    key = open_key(tmp_path, keyring=store)
    assert len(key) == 32
    assert open_key(tmp_path, keyring=store) == key
    assert list(tmp_path.iterdir()) == []
    assert open_key(tmp_path / "other", keyring=store) != key


@pytest.mark.parametrize("mood", ["locked", "read-only", "forgetful"])
def test_that_a_key_store_that_keeps_nothing_is_replaced_by_the_file(tmp_path: Path, mood: str) -> None:
    key = open_key(tmp_path, keyring=Store(mood), secret="1234")
    assert (tmp_path / KEY_FILE).exists()
    assert open_key(tmp_path, keyring=Store(mood), secret="1234") == key
    assert open_key(tmp_path, secret="1234") == key


def test_that_a_wrong_secret_opens_nothing_and_the_right_one_still_does(tmp_path: Path) -> None:
    key = open_key(tmp_path, secret="right")
    with pytest.raises(WrongKey):
        open_key(tmp_path, secret="wrong")
    with pytest.raises(SecretNeeded) as told:
        open_key(tmp_path)
    assert not told.value.is_new
    assert open_key(tmp_path, secret="right") == key


def test_that_the_key_file_shows_neither_key_nor_secret_and_only_this_user_reads_it(tmp_path: Path) -> None:
    key = open_key(tmp_path, secret="hemmelig")
    kept = (tmp_path / KEY_FILE).read_bytes()
    assert key not in kept
    assert base64.b64encode(key) not in kept
    assert b"hemmelig" not in kept
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o077 == 0


def test_that_a_secret_can_be_changed_without_changing_the_key(tmp_path: Path) -> None:
    key = open_key(tmp_path, secret="old")
    rewrap(tmp_path, key, "new")
    assert open_key(tmp_path, secret="new") == key
    with pytest.raises(WrongKey):
        open_key(tmp_path, secret="old")


@pytest.mark.parametrize(
    "kept", [b"", b"{}", b"[]", b'{"salt":"x"}', b"\xff", b'{"salt":1,"nonce":2,"key":3}']
)
def test_that_a_key_file_that_does_not_read_is_told_and_kept(tmp_path: Path, kept: bytes) -> None:
    (tmp_path / KEY_FILE).write_bytes(kept)
    with pytest.raises(WrongKey):
        open_key(tmp_path, secret="x")
    assert (tmp_path / KEY_FILE).read_bytes() == kept


def test_that_a_changed_key_file_is_refused(tmp_path: Path) -> None:
    open_key(tmp_path, secret="x")
    held = orjson.loads((tmp_path / KEY_FILE).read_bytes())
    held["cost"]["time_cost"] = 1
    (tmp_path / KEY_FILE).write_bytes(orjson.dumps(held))
    with pytest.raises(WrongKey):
        open_key(tmp_path, secret="x")


def test_that_no_key_is_made_while_a_cache_lies_there(tmp_path: Path) -> None:
    (tmp_path / "cache" / "w").mkdir(parents=True)
    (tmp_path / "cache" / "w" / "cache.db").write_bytes(b"something")
    with pytest.raises(WrongKey):
        open_key(tmp_path, secret="x")
    with pytest.raises(WrongKey):
        open_key(tmp_path, keyring=Store())
    assert not (tmp_path / KEY_FILE).exists()


def test_that_without_key_store_and_secret_a_person_is_asked_for_one(tmp_path: Path) -> None:
    with pytest.raises(UserProblem) as told:
        open_key(tmp_path)
    assert told.value.field == "secret"


@pytest.mark.parametrize("stored", ["not base64 ¤", base64.b64encode(b"short").decode()])
def test_that_nonsense_in_the_key_store_is_told(tmp_path: Path, stored: str) -> None:
    store = Store()
    store.held["clinician", f"cache:{tmp_path.resolve()}"] = stored
    with pytest.raises(WrongKey):
        open_key(tmp_path, keyring=store)


def test_that_a_pretended_key_store_is_not_used() -> None:
    class Real(KeyringBackend):
        priority = 1.0  # type: ignore[assignment]

        def get_password(self, service: str, username: str) -> str | None:
            return None

        def set_password(self, service: str, username: str, password: str) -> None:
            return None

    before = keyring.get_keyring()
    try:
        keyring.set_keyring(fail.Keyring())
        assert system_key_store() is None
        real = Real()
        keyring.set_keyring(real)
        assert system_key_store() is real
    finally:
        keyring.set_keyring(before)


def test_that_a_key_stretched_ahead_is_the_same_key_and_a_wrong_secret_stays_wrong(tmp_path: Path) -> None:
    key = open_key(tmp_path, secret="right")
    stretch_ahead(tmp_path, "right")
    assert open_key(tmp_path, secret="right") == key
    stretch_ahead(tmp_path, "wrong")
    assert open_key(tmp_path, secret="right") == key
    with pytest.raises(WrongKey):
        open_key(tmp_path, secret="wrong")


def test_that_what_was_stretched_for_one_file_opens_no_other(tmp_path: Path) -> None:
    key = open_key(tmp_path, secret="old")
    stretch_ahead(tmp_path, "old")
    rewrap(tmp_path, key, "new")
    assert open_key(tmp_path, secret="new") == key
    with pytest.raises(WrongKey):
        open_key(tmp_path, secret="old")


@pytest.mark.parametrize(
    "content", [None, b"", b"{", b"[]", b"{}", b'{"salt": 1, "cost": {}}', b'{"salt": "AAAA", "cost": {}}']
)
def test_that_stretching_ahead_for_a_missing_or_torn_file_is_told_when_the_key_is_asked_for(
    tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / KEY_FILE).write_bytes(content)
    stretch_ahead(tmp_path, "right")
    if content is None:
        assert len(open_key(tmp_path, secret="right")) == 32
        return
    with pytest.raises(WrongKey):
        open_key(tmp_path, secret="right")


KARI, ALI = "Practitioner/kari", "Practitioner/ali"


def test_that_each_person_opens_the_same_key_with_a_password_of_their_own(tmp_path: Path) -> None:
    key = open_key(tmp_path, secret="the keeper's")
    set_slot(tmp_path, key, user=KARI, name="Kari", secret="tre små trollunger")
    set_slot(tmp_path, key, user=ALI, name="Ali", secret="fire store bjørner")
    assert open_key(tmp_path, user=KARI, secret="tre små trollunger") == key
    assert open_key(tmp_path, user=ALI, secret="fire store bjørner") == key
    with pytest.raises(WrongKey):
        open_key(tmp_path, user=KARI, secret="fire store bjørner")
    with pytest.raises(SecretNeeded) as told:
        open_key(tmp_path)
    assert told.value.people == ((KARI, "Kari"), (ALI, "Ali"))


def test_that_a_password_is_changed_and_taken_away_alone(tmp_path: Path) -> None:
    key = open_key(tmp_path, secret="the keeper's")
    set_slot(tmp_path, key, user=KARI, name="Kari", secret="tre små trollunger")
    set_slot(tmp_path, key, user=KARI, name="Kari", secret="et helt nytt et")
    assert [slot.user for slot in slots(tmp_path)] == [KARI]
    with pytest.raises(WrongKey):
        open_key(tmp_path, user=KARI, secret="tre små trollunger")
    drop_slot(tmp_path, KARI)
    with pytest.raises(WrongKey):
        open_key(tmp_path, user=KARI, secret="et helt nytt et")
    assert open_key(tmp_path, secret="the keeper's") == key


def test_that_a_short_password_is_refused_for_a_disk_can_be_tried_for_ever(tmp_path: Path) -> None:
    key = open_key(tmp_path, secret="the keeper's")
    with pytest.raises(UserProblem):
        set_slot(tmp_path, key, user=KARI, name="Kari", secret="1234")
    assert slots(tmp_path) == ()


def test_that_the_file_of_people_shows_neither_key_nor_password(tmp_path: Path) -> None:
    key = open_key(tmp_path, secret="the keeper's")
    set_slot(tmp_path, key, user=KARI, name="Kari", secret="tre små trollunger")
    kept = (tmp_path / SLOT_FILE).read_bytes()
    assert key not in kept
    assert base64.b64encode(key) not in kept
    assert b"trollunger" not in kept
    assert (tmp_path / SLOT_FILE).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("torn", [b"", b"{", b"[1]", b"[{}]", b'{"a": 1}'])
def test_that_a_torn_file_of_people_leaves_the_pcs_own_way_in(tmp_path: Path, torn: bytes) -> None:
    key = open_key(tmp_path, secret="the keeper's")
    (tmp_path / SLOT_FILE).write_bytes(torn)
    assert slots(tmp_path) == ()
    assert open_key(tmp_path, secret="the keeper's") == key
    with pytest.raises(WrongKey):
        open_key(tmp_path, user=KARI, secret="tre små trollunger")
