"""Fills forms of a case for the actors who may see it, without what is confidential to them."""

from __future__ import annotations

from services.sla.application.errors import FormNotFoundError
from services.sla.application.queries import CaseQueries
from services.sla.domain.views import redaction
from services.sla.storage import ledgers
from shared.procedures.access import Actor
from shared.procedures.forms.field_text import FormTexts
from shared.procedures.forms.filled_form import FilledForm
from shared.procedures.forms.printing import FormError, print_case_form
from shared.procedures.model.procedure import LanguageCode


class FormQueries:
    """Answers of the route that prints forms; visibility is that of the case."""

    def __init__(self, case_queries: CaseQueries) -> None:
        self._cases = case_queries

    async def fill_form(self, case_id: str, form_id: str, actor: Actor, language: LanguageCode, version: int | None) -> FilledForm:
        """A form in its present state or a signed version; raises `CaseNotFoundError` or `FormNotFoundError`."""
        now = self._cases.clock.now()
        case = await self._cases.load_visible_case(case_id, actor, now)
        async with self._cases.database.transaction() as tx:
            events = await ledgers.load_events(tx, case_id)
        rulebook = self._cases.rulebooks.for_case(case)
        hidden = self._cases.hidden_fields(actor, case, now)
        texts = FormTexts(rulebook.procedure, rulebook.organisation, language, hidden)
        try:
            # The events are redacted as in the case's own view, so that a layout cannot print what that view hides.
            filled, _ = print_case_form(texts, form_id, events, version, [redaction.redact(event, hidden) for event in events])
        except FormError as error:
            raise FormNotFoundError(str(error)) from error
        return filled
