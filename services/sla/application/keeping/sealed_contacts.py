"""Opens the sealed contact data of a case, where this installation gives sla the keys."""

from __future__ import annotations

import unicodedata
from typing import Any

import structlog

from services.sla.domain.lifecycle.case import Case
from shared.contracts.person_keys import person_key
from shared.runtime.encryption import DecryptionError, EncryptionKeyRing

log = structlog.get_logger(__name__)


class SealedContacts:
    """Opens contact data; makes the key by which a case is found by its complainant's name."""

    def __init__(self, key_ring: EncryptionKeyRing, pseudonym_key: bytes) -> None:
        self._key_ring = key_ring
        self._pseudonym_key = pseudonym_key

    def open(self, case: Case) -> dict[str, Any]:
        """The complainant's contact data; empty without any, or if the key is not in JIESU_SEALING_KEYS."""
        return self._open(case.id, case.complaint)

    def name_keys(self, case_id: str, complaint: dict[str, Any]) -> tuple[str, ...]:
        """The key of the complainant's name; none for an anonymous complainant, whom no one shall find by it."""
        if (complaint.get("complainant") or {}).get("anonymous"):
            return ()
        name = self._open(case_id, complaint).get("name")
        return (self.name_key(name),) if isinstance(name, str) and name.strip() else ()

    def name_key(self, name: str) -> str:
        """The keyed hash of a name, whatever its width, case and blanks."""
        return person_key("name", " ".join(unicodedata.normalize("NFKC", name).casefold().split()), self._pseudonym_key)

    def _open(self, case_id: str, complaint: dict[str, Any]) -> dict[str, Any]:
        sealed = complaint.get("contact")
        if not sealed:
            return {}
        try:
            return self._key_ring.decrypt(sealed, case_id)
        except DecryptionError:
            log.warning("contact data cannot be opened: JIESU_SEALING_KEYS lacks its key", case=case_id)
            return {}
