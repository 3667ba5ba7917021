"""A source and submissions from it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.intake.domain.submission import SourceContext
from shared.contracts.complaint import Submission
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.model.procedure import Procedure
from shared.procedures.organisation import ComplaintSource
from tests.support.messaging.sample_organisation import PROCEDURE

NOW = datetime(2026, 12, 31, 16, 30, tzinfo=UTC)
CHINA = ZoneInfo("Asia/Shanghai")
PSEUDONYM_KEY = b"k" * 32
MakeContext = Callable[..., SourceContext]
MakeSubmission = Callable[..., Submission]


@pytest.fixture
def source_context() -> MakeContext:
    def make(**fields: Any) -> SourceContext:
        source = ComplaintSource.model_validate({"id": "web", "procedure": "shop"} | fields)
        return SourceContext(source, bind_parameters(Procedure.model_validate(PROCEDURE)), CHINA, "CN", PSEUDONYM_KEY)

    return make


@pytest.fixture
def submission() -> MakeSubmission:
    def make(**fields: Any) -> Submission:
        return Submission.model_validate({"received_at": NOW, "text": "电梯停运"} | fields)

    return make
