"""The sealing key of a local stack, kept beside its data."""

import base64
import os
import secrets
from pathlib import Path

_FILE = "sealing_keys"


def local_sealing_keys(root: Path) -> str:
    """JIESU_SEALING_KEYS of the stack in this folder; made at the first call and readable by this user only."""
    file = root / _FILE
    # With a new key at each start, contacts that are already stored could never be read again.
    if not file.exists():
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
            handle.write("local:" + base64.b64encode(secrets.token_bytes(32)).decode())
    return file.read_text()
