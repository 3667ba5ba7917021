"""Who may download the evidence of a case."""

from datetime import UTC, datetime
from typing import Any, cast

import pytest

from services.sla.application.errors import EvidenceNotAllowedError
from services.sla.application.queries import CaseQueries
from services.sla.domain.lifecycle.case import Case
from services.sla.evidence.download import DownloadEvidence
from shared.procedures.access import Actor
from shared.runtime.clock import Clock


class _Queries:
    """A case of which the actor may not see the complainant's name; reading its ledger would fail, since there is no database."""

    clock = Clock()

    async def load_visible_case(self, case_id: str, actor: Actor, at: datetime) -> Case:
        assert (case_id, actor.id) == ("case-1", "li")
        assert at.tzinfo is UTC
        return cast("Case", object())

    def hidden_fields(self, *_: Any) -> tuple[str, ...]:
        return ("complainant.name",)


async def test_an_archive_that_would_hold_confidential_fields_is_refused_before_anything_is_read() -> None:
    with pytest.raises(EvidenceNotAllowedError, match="confidential to you"):
        await DownloadEvidence(cast("CaseQueries", _Queries())).archive("case-1", Actor(id="li"))
