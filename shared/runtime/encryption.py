"""Encrypts contact data with AES-GCM, so that it can be part of events that others read."""

import base64
import binascii
import os
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

from shared.runtime.errors import Misconfigured

_NONCE_BYTES = 12  # random nonces of 96 bits allow 2^32 messages under one key (NIST SP 800-38D, 8.3)
_KEY_BYTES = 32
_REMEDY = "JIESU_SEALING_KEYS must read id:base64 of 32 bytes, comma separated; make one with `openssl rand -base64 32`"


class DecryptionError(ValueError):
    """Ciphertext that cannot be decrypted: unknown key, another case, or changed bytes. The text holds no data."""


class EncryptionKeyRing:
    """The first key encrypts, all keys decrypt. A ciphertext is `<key id>.<base64url of nonce and AES-GCM output>`."""

    def __init__(self, keys: dict[str, bytes]) -> None:
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._encryption_key_id = next(iter(keys), None)

    @classmethod
    def parse(cls, ring: SecretStr) -> "EncryptionKeyRing":
        """The key ring of JIESU_SEALING_KEYS; without keys it can neither encrypt nor decrypt. Raises Misconfigured."""
        keys: dict[str, bytes] = {}
        for entry in filter(None, (part.strip() for part in ring.get_secret_value().split(","))):
            key_id, _, text = entry.partition(":")
            try:
                key = base64.b64decode(text, validate=True)
            except binascii.Error as error:
                raise Misconfigured(_REMEDY) from error
            if len(key) != _KEY_BYTES or not key_id or "." in key_id or key_id in keys:
                raise Misconfigured(f"{_REMEDY}; ids must be unique and without a dot")
            keys[key_id] = key
        return cls(keys)

    def encrypt(self, data: dict[str, Any], case_id: str) -> str:
        """Encrypt data for one case, whose id is authenticated with it. Raises Misconfigured without a key."""
        if self._encryption_key_id is None:
            raise Misconfigured(f"no key to encrypt with. {_REMEDY}")
        nonce = os.urandom(_NONCE_BYTES)
        output = self._ciphers[self._encryption_key_id].encrypt(nonce, orjson.dumps(data), case_id.encode())
        return f"{self._encryption_key_id}.{base64.urlsafe_b64encode(nonce + output).decode()}"

    def decrypt(self, ciphertext: str, case_id: str) -> dict[str, Any]:
        """The data that was encrypted for this case. Raises DecryptionError."""
        key_id, _, text = ciphertext.partition(".")
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise DecryptionError("the key of the ciphertext is not in JIESU_SEALING_KEYS")
        try:
            message = base64.urlsafe_b64decode(text)
            data: dict[str, Any] = orjson.loads(cipher.decrypt(message[:_NONCE_BYTES], message[_NONCE_BYTES:], case_id.encode()))
        except (InvalidTag, ValueError) as error:
            raise DecryptionError("the ciphertext is of another case or was changed") from error
        return data

    def reencrypt(self, ciphertext: str, case_id: str) -> str:
        """The same data under the first key, to rotate keys; unchanged if it is already."""
        if self._encryption_key_id is not None and ciphertext.startswith(f"{self._encryption_key_id}."):
            return ciphertext
        return self.encrypt(self.decrypt(ciphertext, case_id), case_id)
