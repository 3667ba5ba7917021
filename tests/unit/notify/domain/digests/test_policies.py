"""Whose limits count: the person's, his role's, those of the settings."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from services.notify.domain.digests.pacing import DigestPolicy
from services.notify.domain.digests.policies import digest_policies
from shared.procedures.organisation import Organisation

ORGANISATION = {
    "id": "demo",
    "digests": {"executive": {"after": 0, "window": "1h"}, "guard": False},
    "people": [
        {"id": "li", "roles": ["handler"]},
        {"id": "zhao", "roles": ["handler", "executive"]},
        {"id": "qian", "roles": ["executive"], "digest": {"urgent_gap": "5m"}},
        {"id": "sun", "roles": ["guard"]},
        {"id": "zhou", "roles": ["executive"], "digest": False},
    ],
}


def test_person_before_role_before_settings() -> None:
    default = DigestPolicy()
    policies = digest_policies(Organisation.model_validate(ORGANISATION), default)
    assert policies.policy("li") == policies.policy("stranger") == default
    assert policies.policy("zhao") == DigestPolicy(after=0, window=timedelta(hours=1))
    assert policies.policy("qian") == DigestPolicy(urgent_gap=timedelta(minutes=5))
    assert policies.policy("sun") is policies.policy("zhou") is None


def test_a_window_of_zero_switches_digests_off() -> None:
    off = digest_policies(Organisation(id="demo"), DigestPolicy(window=timedelta(0)))
    assert off.policy("li") is None


@pytest.mark.parametrize("window", ["3wd", "soon"])
def test_a_window_that_is_no_clock_time_is_refused(window: str) -> None:
    with pytest.raises(ValidationError, match=r"write (minutes|30m)"):
        Organisation.model_validate({"id": "demo", "digests": {"guard": {"window": window}}})
