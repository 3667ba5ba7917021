"""The settings of the transport mail, and the file of mailboxes."""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, StringConstraints, model_validator

from shared.contracts.base import StrictModel
from shared.procedures.loading.validation import validate_document
from shared.procedures.loading.yaml_document import YamlDocument, read_yaml
from shared.procedures.model.procedure_error import FileProblem, ProcedureError

_VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]{0,100}$"
Variable = Annotated[str, StringConstraints(pattern=_VARIABLE)]
"""The name of an environment variable that holds a secret."""
MailboxAddress = Annotated[str, StringConstraints(pattern=r"^[^@\s<>,;]{1,64}@[^@\s<>,;]{1,190}$", to_lower=True)]
_LOCAL_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})


class OAuth2Settings(StrictModel):
    """XOAUTH2: a file that another program keeps current, or a refresh token that intake exchanges at `token_url`."""

    token_file: Path | None = None
    token_url: str = ""
    client_id: str = ""
    client_secret_env: Variable | None = None
    refresh_token_env: Variable | None = None
    scope: str = ""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        by_refresh = bool(self.token_url and self.client_id and self.refresh_token_env)
        if by_refresh == (self.token_file is not None):
            raise ValueError("give either token_file, or token_url with client_id and refresh_token_env")
        if by_refresh and not self.token_url.startswith("https://") and not _is_local_url(self.token_url):
            raise ValueError("token_url must begin with https://: the refresh token would be readable on its way")
        return self


class ImapSettings(StrictModel):
    """Settings of a mailbox; `after` is the treatment of a mail on the server once it is durable here."""

    host: str
    port: int = Field(default=993, ge=1, le=65535)
    security: Literal["tls", "none"] = "tls"
    ca_file: Path | None = Field(default=None, description="authority of the server's certificate; none: the system's")
    username: str
    password_env: Variable | None = None
    oauth2: OAuth2Settings | None = None
    folder: str = "INBOX"
    after: Literal["keep", "seen", "delete", "move"] = "keep"
    move_to: str = ""
    poll_seconds: float = Field(default=60.0, ge=1, le=3600, description="interval between two looks at a server without IDLE")
    timeout: float = Field(default=30.0, gt=0, le=600)

    @model_validator(mode="after")
    def _can_log_in(self) -> Self:
        if (self.password_env is None) == (self.oauth2 is None):
            raise ValueError("give either password_env or oauth2")
        if self.security == "none" and self.host not in _LOCAL_HOSTS:
            raise ValueError("security none is for a server on this machine only: the password would be readable on its way")
        if (self.after == "move") != bool(self.move_to):
            raise ValueError("after: move needs move_to, the folder; without it leave move_to out")
        return self


class MailboxSettings(StrictModel):
    """A mailbox: its source in the organisation file, its addresses, and the IMAP settings if it is read by IMAP."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,60}$")]
    source: str
    addresses: list[MailboxAddress] = Field(min_length=1, max_length=100)
    received_by: list[str] = Field(
        default_factory=list, max_length=50, description="names of own mail servers, as they write them after `by` in Received"
    )
    systems: list[MailboxAddress] = Field(
        default_factory=list, max_length=100, description="senders that write for people, e.g. a web form: their mails count as a person's"
    )
    acknowledge: bool = False
    imap: ImapSettings | None = None


class SmtpPortSettings(StrictModel):
    """The port that receives mails for the addresses of all mailboxes, by SMTP or LMTP."""

    host: str = "127.0.0.1"
    port: int = Field(ge=0, le=65535)
    protocol: Literal["smtp", "lmtp"] = "smtp"
    certificate_file: Path | None = None
    key_file: Path | None = None
    require_tls: bool = False
    connections: int = Field(default=20, ge=1, le=500)
    timeout: float = Field(default=60.0, gt=0, le=600, description="seconds without a command or data after which a session is closed")
    mail_seconds: float = Field(default=900.0, gt=0, le=7200, description="seconds that one mail may take to arrive")

    @model_validator(mode="after")
    def _certificate_is_whole(self) -> Self:
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("give certificate_file and key_file, or neither")
        if self.require_tls and self.certificate_file is None:
            raise ValueError("require_tls needs certificate_file and key_file")
        return self


class MailboxesFile(StrictModel):
    """The file of JIESU_MAILBOXES."""

    mailboxes: list[MailboxSettings] = Field(min_length=1, max_length=200)
    port: SmtpPortSettings | None = None
    max_bytes: int = Field(default=26_214_400, ge=10_000, le=209_715_200, description="largest mail that is read")


def load_mailboxes(path: Path, sources: Iterable[str], environment: Mapping[str, str] = os.environ) -> MailboxesFile:
    """The file, checked against the sources of the organisation file; raises `ProcedureError` with file, line, rule and remedy."""
    document = read_yaml(path)
    mailboxes = validate_document(MailboxesFile, document)
    problems = list(_problems(mailboxes, document, frozenset(sources), environment))
    if problems:
        raise ProcedureError(problems)
    return mailboxes


def _problems(
    file: MailboxesFile, document: YamlDocument, sources: frozenset[str], environment: Mapping[str, str]
) -> Iterator[FileProblem]:
    ids, owners = set[str](), dict[str, str]()
    for index, mailbox in enumerate(file.mailboxes):
        if mailbox.id in ids:
            yield document.problem_at(("mailboxes", index, "id"), f"mailboxes has {mailbox.id} twice; rename one")
        ids.add(mailbox.id)
        if mailbox.source not in sources:
            known = ", ".join(sorted(sources)) or "none"
            yield document.problem_at(
                ("mailboxes", index, "source"), f"the organisation file has no source {mailbox.source}; it has {known}"
            )
        for address in mailbox.addresses:
            if owners.setdefault(address, mailbox.id) != mailbox.id:
                message = f"{address} is an address of {owners[address]} too; leave it with one mailbox"
                yield document.problem_at(("mailboxes", index, "addresses"), message)
        for name in _secret_names(mailbox.imap):
            if not environment.get(name):
                yield document.problem_at(("mailboxes", index, "imap"), f"the environment variable {name} is not set; set it to the secret")
    if file.port is None and all(mailbox.imap is None for mailbox in file.mailboxes):
        yield document.problem_at(("mailboxes",), "no mailbox has imap and there is no port; give one of them, or no mail is read")


def _secret_names(imap: ImapSettings | None) -> list[str]:
    if imap is None:
        return []
    names = [imap.password_env, *([imap.oauth2.client_secret_env, imap.oauth2.refresh_token_env] if imap.oauth2 else [])]
    return [name for name in names if name is not None]


def _is_local_url(url: str) -> bool:
    return any(url.startswith(f"http://{host}:") for host in _LOCAL_HOSTS)


def secret(name: str | None) -> SecretStr:
    """The secret in an environment variable, empty without a name."""
    return SecretStr(os.environ.get(name, "") if name else "")
