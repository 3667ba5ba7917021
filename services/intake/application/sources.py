"""The sources of complaints: who holds which key, whose records are signed, and where each is registered. Reads procedures from files."""

import hmac
from hashlib import sha256
from pathlib import Path

from services.intake.domain.number_series import format_number
from services.intake.domain.submission import SourceContext
from shared.contracts.envelope import CE_ID, KEY_ID_HEADER, SIGNATURE_HEADER, signing_input
from shared.procedures.calendars.zones import procedure_zone
from shared.procedures.loading.loader import load_procedure
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.organisation import ComplaintSource, Organisation
from shared.runtime.errors import Rejected
from shared.runtime.kafka.record import ReceivedRecord
from shared.runtime.kafka.signing import is_signature_valid


class Sources:
    """Every source of the organisation with its office; `key` is the secret for pseudonyms."""

    def __init__(self, organisation: Organisation, base: Path, phone_region: str, pseudonym_key: bytes) -> None:
        self.contexts = {
            source.id: _source_context(source, organisation, base, phone_region, pseudonym_key) for source in organisation.sources
        }
        self._hashes = [(bytes.fromhex(text), office) for office in self.contexts.values() for text in office.source.key_sha256]

    def by_api_key(self, api_key: str) -> SourceContext | None:
        """The office of an API key; takes the same time whichever key it is, if any."""
        given = sha256(api_key.encode("utf-8", "surrogatepass")).digest()
        found = None
        for known, office in self._hashes:
            if hmac.compare_digest(known, given):
                found = office
        return found

    def by_record(self, received: ReceivedRecord) -> SourceContext:
        """The office of a Kafka record, named in `ce_source` or in the body; raises Rejected."""
        office = self.contexts.get(received.source or received.event.source or "")
        if office is None:
            raise Rejected("header ce_source names no source of the organisation file", park=False)
        return office

    def verify_signature(self, received: ReceivedRecord) -> None:
        """Raises Rejected for an unknown source, and, where the source has public keys, without a signature by one of them."""
        keys = self.by_record(received).source.keys
        if not keys:
            return
        public = keys.get(received.headers.get(KEY_ID_HEADER, ""))
        covered = signing_input(received.topic, received.key, received.headers[CE_ID], received.body)
        if public is None or not is_signature_valid(public, received.headers.get(SIGNATURE_HEADER, ""), covered):
            raise Rejected(f"headers {KEY_ID_HEADER} and {SIGNATURE_HEADER} are not those of the source", park=False)


def _source_context(source: ComplaintSource, organisation: Organisation, base: Path, region: str, key: bytes) -> SourceContext:
    reference = source.procedure if source.version is None else f"{source.procedure}@{source.version}"
    procedure = load_procedure(reference, base_folder=base)
    format_number(procedure.register_.number, 2000, 1)
    return SourceContext(source, bind_parameters(procedure, source.parameters), procedure_zone(procedure, organisation), region, key)
