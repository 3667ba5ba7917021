"""Contact data sealed with AES-GCM: it travels with the events, only who has the key ring opens it."""

import base64
import binascii
import os
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

from shared.runtime.errors import Misconfigured

_NONCE = 12
_KEY = 32
_REMEDY = "JIESU_SEALING_KEYS must read id:base64 of 32 bytes, comma separated; make one with `openssl rand -base64 32`"


class DecryptionError(ValueError):
    """A seal that cannot be opened: unknown key, other case, or changed bytes. Says no more than that."""


class EncryptionKeyRing:
    """A key ring: its first key seals, all open. A sealed text is `<key id>.<base64url of nonce and ciphertext>`."""

    def __init__(self, keys: dict[str, bytes]) -> None:
        self._ciphers = {name: AESGCM(key) for name, key in keys.items()}
        self._encryption_key_id = next(iter(keys), None)

    @classmethod
    def parse(cls, ring: SecretStr) -> "EncryptionKeyRing":
        """The ring of JIESU_SEALING_KEYS; an empty one can neither seal nor open. Raises Misconfigured."""
        keys: dict[str, bytes] = {}
        for entry in filter(None, (part.strip() for part in ring.get_secret_value().split(","))):
            name, _, text = entry.partition(":")
            try:
                key = base64.b64decode(text, validate=True)
            except binascii.Error as error:
                raise Misconfigured(_REMEDY) from error
            if len(key) != _KEY or not name or "." in name or name in keys:
                raise Misconfigured(f"{_REMEDY}; ids are unique and hold no dot")
            keys[name] = key
        return cls(keys)

    def encrypt(self, data: dict[str, Any], case_id: str) -> str:
        """Seal data for one case."""
        if self._encryption_key_id is None:
            raise Misconfigured(f"nothing can be sealed without a key. {_REMEDY}")
        nonce = os.urandom(_NONCE)
        sealed = self._ciphers[self._encryption_key_id].encrypt(nonce, orjson.dumps(data), case_id.encode())
        return f"{self._encryption_key_id}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def decrypt(self, ciphertext: str, case_id: str) -> dict[str, Any]:
        """The data sealed for this case. Raises SealingError."""
        name, _, text = ciphertext.partition(".")
        cipher = self._ciphers.get(name)
        if cipher is None:
            raise DecryptionError("the seal's key is not in JIESU_SEALING_KEYS")
        try:
            data = base64.urlsafe_b64decode(text)
            opened: dict[str, Any] = orjson.loads(cipher.decrypt(data[:_NONCE], data[_NONCE:], case_id.encode()))
        except (InvalidTag, ValueError) as error:
            raise DecryptionError("the seal does not fit this case or was changed") from error
        return opened

    def reencrypt(self, ciphertext: str, case_id: str) -> str:
        """The same data under the first key, for rotation; a seal that has it already is returned as it is."""
        if self._encryption_key_id is not None and ciphertext.startswith(f"{self._encryption_key_id}."):
            return ciphertext
        return self.encrypt(self.decrypt(ciphertext, case_id), case_id)
