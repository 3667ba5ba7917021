"""Contact data is encrypted for one case, and keys can be rotated."""

import base64

import pytest
from pydantic import SecretStr

from shared.runtime.encryption import DecryptionError, EncryptionKeyRing
from shared.runtime.errors import Misconfigured

OLD, NEW = (f"{name}:{base64.b64encode(bytes([n]) * 32).decode()}" for n, name in enumerate(("old", "new")))
DATA = {"phone": "13800000000", "name": "王先生"}


def ring(*keys: str) -> EncryptionKeyRing:
    return EncryptionKeyRing.parse(SecretStr(",".join(keys)))


def test_data_is_decrypted_for_its_case() -> None:
    ciphertext = ring(OLD).encrypt(DATA, "case-1")
    assert ring(OLD).decrypt(ciphertext, "case-1") == DATA
    assert "13800000000" not in ciphertext


def test_data_is_not_decrypted_for_another_case() -> None:
    with pytest.raises(DecryptionError, match="of another case"):
        ring(OLD).decrypt(ring(OLD).encrypt(DATA, "case-1"), "case-2")


def test_a_changed_byte_is_an_error() -> None:
    ciphertext = ring(OLD).encrypt(DATA, "case-1")
    changed = ciphertext[:-10] + ("A" if ciphertext[-10] != "A" else "B") + ciphertext[-9:]
    with pytest.raises(DecryptionError):
        ring(OLD).decrypt(changed, "case-1")


def test_the_first_key_encrypts_and_all_keys_decrypt() -> None:
    old = ring(OLD).encrypt(DATA, "c")
    both = ring(NEW, OLD)
    assert both.decrypt(old, "c") == DATA
    assert both.encrypt(DATA, "c").startswith("new.")


def test_rotation_reencrypts_once() -> None:
    old = ring(OLD).encrypt(DATA, "c")
    both = ring(NEW, OLD)
    fresh = both.reencrypt(old, "c")
    assert ring(NEW).decrypt(fresh, "c") == DATA
    assert both.reencrypt(fresh, "c") == fresh


def test_two_ciphertexts_of_the_same_data_differ() -> None:
    assert ring(OLD).encrypt(DATA, "c") != ring(OLD).encrypt(DATA, "c")


def test_data_is_not_decrypted_without_its_key() -> None:
    with pytest.raises(DecryptionError, match="JIESU_SEALING_KEYS"):
        ring(NEW).decrypt(ring(OLD).encrypt(DATA, "c"), "c")


@pytest.mark.parametrize("text", ["a", "a:short", "a:!!", f"{OLD},{OLD}", f".{OLD}"])
def test_malformed_keys_are_refused_with_the_remedy_and_without_the_key(text: str) -> None:
    with pytest.raises(Misconfigured, match="openssl rand") as raised:
        ring(text)
    assert OLD.partition(":")[2] not in str(raised.value)


def test_an_empty_key_ring_cannot_encrypt() -> None:
    with pytest.raises(Misconfigured):
        ring().encrypt(DATA, "c")
