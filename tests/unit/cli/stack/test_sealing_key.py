"""The sealing key of a local stack stays the same over starts."""

import stat
from pathlib import Path

from pydantic import SecretStr

from cli.stack.sealing_key import local_sealing_keys
from shared.runtime.encryption import EncryptionKeyRing


def test_a_second_start_reads_what_the_first_encrypted(tmp_path: Path) -> None:
    root = tmp_path / "up"
    ciphertext = _key_ring(root).encrypt({"phone": "13800001111"}, "case")
    assert _key_ring(root).decrypt(ciphertext, "case") == {"phone": "13800001111"}


def test_key_is_private_and_differs_between_folders(tmp_path: Path) -> None:
    first, second = local_sealing_keys(tmp_path / "a"), local_sealing_keys(tmp_path / "b")
    assert first != second
    assert stat.S_IMODE((tmp_path / "a" / "sealing_keys").stat().st_mode) == 0o600


def _key_ring(root: Path) -> EncryptionKeyRing:
    return EncryptionKeyRing.parse(SecretStr(local_sealing_keys(root)))
