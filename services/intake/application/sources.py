"""Finds the source of a request or record and verifies signatures of records; loads procedures from files."""

from pathlib import Path

from services.intake.domain.complainant import normal_contact
from services.intake.domain.number_series import format_number
from services.intake.domain.submission import SourceContext
from shared.contracts.envelope import CE_ID, KEY_ID_HEADER, SIGNATURE_HEADER, signing_input
from shared.procedures.calendars.zones import procedure_zone
from shared.procedures.entry_by_hand import enterers
from shared.procedures.loading.loader import load_procedure
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.organisation import ComplaintSource, Organisation
from shared.runtime.errors import Rejected
from shared.runtime.kafka.record import ReceivedRecord
from shared.runtime.kafka.signing import is_signature_valid


class Sources:
    """The sources of the organisation; `contexts` maps source ids to their contexts."""

    def __init__(self, organisation: Organisation, base_folder: Path, phone_region: str, pseudonym_key: bytes) -> None:
        shared = frozenset(normal_contact(text, phone_region) for text in organisation.shared_contacts)
        self.contexts = {
            source.id: _source_context(source, organisation, base_folder, phone_region, pseudonym_key, shared)
            for source in organisation.sources
        }

    @property
    def signing(self) -> list[str]:
        """The ids of the sources whose records have to be signed."""
        return [source_id for source_id, context in self.contexts.items() if context.source.keys]

    def by_record(self, received: ReceivedRecord) -> SourceContext:
        """The source of a Kafka record, named in header `ce_source` or in the body; raises Rejected for an unknown one."""
        context = self.contexts.get(received.source or getattr(received.event, "source", None) or "")
        if context is None:
            raise Rejected("header ce_source names no source of the organisation file", park=False)
        return context

    def verify_signature(self, received: ReceivedRecord) -> str | None:
        """The source that signed the record, None for a source without public keys, whose name proves nothing.

        Raises Rejected for an unknown source, and for a source with public keys if none of them signed the record.
        """
        source = self.by_record(received).source
        keys = source.keys
        if not keys:
            return None
        # Several keys may be valid: one is rotated by adding the new one beside the old (ADR 12).
        public_key = keys.get(received.headers.get(KEY_ID_HEADER, ""))
        signed_bytes = signing_input(received.topic, received.key, received.headers[CE_ID], received.body)
        if public_key is None or not is_signature_valid(public_key, received.headers.get(SIGNATURE_HEADER, ""), signed_bytes):
            raise Rejected(f"headers {KEY_ID_HEADER} and {SIGNATURE_HEADER} are not those of the source", park=False)
        return source.id


def _source_context(
    source: ComplaintSource,
    organisation: Organisation,
    base_folder: Path,
    phone_region: str,
    pseudonym_key: bytes,
    shared_contacts: frozenset[str],
) -> SourceContext:
    reference = source.procedure if source.version is None else f"{source.procedure}@{source.version}"
    procedure = load_procedure(reference, base_folder=base_folder)
    format_number(procedure.register_.number, 2000, 1)  # reports an unusable pattern at start
    return SourceContext(
        source=source,
        bound_procedure=bind_parameters(procedure, source.parameters),
        zone=procedure_zone(procedure, organisation),
        phone_region=phone_region,
        pseudonym_key=pseudonym_key,
        shared_contacts=shared_contacts,
        enterers=enterers(source, organisation),
    )
