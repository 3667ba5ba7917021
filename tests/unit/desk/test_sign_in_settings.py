"""What the desk refuses at its start: a sign-in that would not protect."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from services.desk.config import DeskSettings
from services.desk.sign_in.local_accounts import hash_password, load_accounts
from shared.procedures.organisation import Organisation
from shared.runtime.errors import Misconfigured

ORGANISATION = Organisation.model_validate({"id": "estate", "people": [{"id": "li"}]})
ISSUER: dict[str, Any] = {"oidc_issuer": "https://id.example.org"}


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"desk_accounts": Path("accounts.yaml"), "environment": "production"}, "JIESU_DESK_ACCOUNTS"),
        ({**ISSUER, "desk_url": "http://desk.example.org", "environment": "production"}, "JIESU_DESK_URL"),
        (ISSUER, "JIESU_DESK_URL"),
        ({"desk_url": "desk.example.org"}, "JIESU_DESK_URL"),
        ({"desk_url": "https://desk.example.org?x=1"}, "JIESU_DESK_URL"),
    ],
)
def test_setting_that_would_not_protect_is_refused(values: dict[str, Any], named: str) -> None:
    with pytest.raises(Misconfigured, match=named):
        DeskSettings(**({"environment": "test"} | values))


def test_production_signs_in_at_the_provider() -> None:
    settings = DeskSettings(**ISSUER, desk_url="https://desk.example.org/", environment="production")
    assert (settings.has_secure_cookies, settings.desk_url) == (True, "https://desk.example.org")


@pytest.mark.parametrize(
    "accounts",
    [
        [{"name": "a", "person": "nobody", "password": hash_password("x"), "token": "t"}],
        [{"name": "a", "person": "li", "password": "x", "token": "t"}],
        [{"name": "a", "person": "li", "password": hash_password("x"), "token": "t"}] * 2,
        [{"name": "a"}],
        "x",
    ],
)
def test_accounts_that_cannot_be_used_are_refused_without_their_values(tmp_path: Path, accounts: Any) -> None:
    path = tmp_path / "accounts.yaml"
    path.write_text(yaml.safe_dump({"accounts": accounts}), encoding="utf-8")
    with pytest.raises(Misconfigured, match="JIESU_DESK_ACCOUNTS") as caught:
        load_accounts(path, ORGANISATION)
    assert "argon2" not in str(caught.value)
