"""The retention of cases outlasts the binding of a year's records."""

import pytest

from services.sla.config import SlaSettings
from shared.runtime.errors import Misconfigured


@pytest.mark.parametrize("days", [0, 400, 3650])
def test_cases_are_kept_for_ever_or_past_the_binding_of_their_year(days: int) -> None:
    assert SlaSettings(environment="test", case_retention_days=days).case_retention_days == days


@pytest.mark.parametrize("days", [-1, 1, 399])
def test_shorter_retention_of_cases_is_refused(days: int) -> None:
    with pytest.raises(Misconfigured, match="JIESU_CASE_RETENTION_DAYS"):
        SlaSettings(environment="test", case_retention_days=days)
