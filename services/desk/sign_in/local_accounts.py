"""Accounts of a file, with passwords as Argon2id hashes: for the demo and for tests, never for production."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import yaml
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import ValidationError

from shared.contracts.base import StrictModel
from shared.procedures.organisation import Organisation
from shared.runtime.errors import Misconfigured
from shared.runtime.http.problem import TOO_MANY_REQUESTS, HttpProblem
from shared.runtime.http.rate_limit import RateLimit

MAX_PASSWORD_LENGTH = 256
"""Argon2 would hash a text of any length."""
_PER_SECOND = 0.2
"""Attempts of one account a second: five at once, then one in five seconds."""
_CONCURRENT_HASHES = 2
"""Each takes 64 MiB and a core for a twentieth of a second: more at once would let anybody use up the memory."""


class LocalAccount(StrictModel):
    """An account: whom it signs in, its Argon2id hash, and the person's static token, with which the services know him."""

    name: str
    person: str
    password: str
    token: str


class _AccountsFile(StrictModel):
    accounts: list[LocalAccount]


@dataclass(frozen=True, slots=True)
class SignedInAccount:
    """The person of an account, and his token for the services."""

    person: str
    token: str


class LocalAccounts:
    """Checks passwords. An unknown name takes as long as a known one."""

    def __init__(self, accounts: list[LocalAccount]) -> None:
        self._accounts = {account.name: account for account in accounts}
        self._hasher = PasswordHasher()
        self._hash_of_nobody = self._hasher.hash("")
        self._rate_limit = RateLimit()
        self._slots = asyncio.Semaphore(_CONCURRENT_HASHES)

    async def check(self, name: str, password: str) -> SignedInAccount | None:
        """The person of the account if the password is right; raises HttpProblem 429 for too many attempts."""
        account = self._accounts.get(name)
        self._rate_limit.check(name, _PER_SECOND)
        if self._slots.locked():
            raise HttpProblem(TOO_MANY_REQUESTS, "password: others are signing in; try again in a moment")
        self._rate_limit.consume(name, _PER_SECOND)
        async with self._slots:
            stored = self._hash_of_nobody if account is None else account.password
            is_right = await asyncio.to_thread(self._verify, stored, password[:MAX_PASSWORD_LENGTH])
        if account is None or not is_right:
            return None
        return SignedInAccount(account.person, account.token)

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False


def hash_password(password: str) -> str:
    """The Argon2id hash of a password for the file of accounts, with the library's parameters (RFC 9106, low memory)."""
    return PasswordHasher().hash(password)


def load_accounts(path: Path, organisation: Organisation) -> LocalAccounts:
    """The accounts of a file; raises `Misconfigured`, which names no value of it."""
    try:
        accounts = _AccountsFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8"))).accounts
    except (OSError, yaml.YAMLError, ValidationError, UnicodeDecodeError) as error:
        raise Misconfigured(f"JIESU_DESK_ACCOUNTS: cannot be read ({type(error).__name__}); see docs/how-to/sign-in.md") from None
    for account in accounts:
        if organisation.person(account.person) is None:
            raise Misconfigured(f"JIESU_DESK_ACCOUNTS: account {account.name}: the organisation file has no such person")
        if not account.password.startswith("$argon2id$"):
            raise Misconfigured(
                f"JIESU_DESK_ACCOUNTS: account {account.name}: password must be an Argon2id hash; see docs/how-to/sign-in.md"
            )
    if len({account.name for account in accounts}) != len(accounts):
        raise Misconfigured("JIESU_DESK_ACCOUNTS: two accounts have the same name")
    return LocalAccounts(accounts)
