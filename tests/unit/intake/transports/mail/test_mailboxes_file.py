"""The file of mailboxes: each fault has file, line, rule and remedy."""

import re
from pathlib import Path

import pytest

from services.intake.transports.mail.config import MailboxesFile, load_mailboxes
from shared.procedures.model.procedure_error import ProcedureError
from tests.support.repository import PROJECT

GOOD = """
mailboxes:
  - id: tousu
    source: mails
    addresses: [Tousu@Jiesu.Example]
    received_by: [mail.jiesu.example]
    imap: {host: imap.jiesu.example, username: tousu, password_env: MAIL_PASSWORD}
port: {port: 2525}
"""


def load(folder: Path, text: str) -> MailboxesFile:
    path = folder / "mailboxes.yaml"
    path.write_text(text, encoding="utf-8")
    return load_mailboxes(path, ["mails"], {"MAIL_PASSWORD": "x"})


def test_addresses_are_compared_in_lower_case(tmp_path: Path) -> None:
    file = load(tmp_path, GOOD)
    assert file.mailboxes[0].addresses == ["tousu@jiesu.example"]
    assert file.mailboxes[0].imap is not None
    assert (file.mailboxes[0].imap.port, file.mailboxes[0].imap.security) == (993, "tls")


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("source: mails", "source: mail", 4, "the organisation file has no source mail; it has mails"),
        ("MAIL_PASSWORD", "OTHER", 7, "the environment variable OTHER is not set; set it to the secret"),
        ("password_env: MAIL_PASSWORD", "folder: x", 7, "give either password_env or oauth2"),
        ("host: imap", "security: none, host: imap", 7, "security none is for a server on this machine only"),
        ("username", "usrname", 7, "did you mean username?"),
        ("username: tousu", "username: tousu, after: move", 7, "after: move needs move_to"),
        ("port: {port: 2525}", "port: {port: 2525, require_tls: true}", 8, "require_tls needs certificate_file"),
        ("Tousu@Jiesu.Example", "tousu", 5, "addresses"),
    ],
)
def test_faults(tmp_path: Path, old: str, new: str, line: int, message: str) -> None:
    with pytest.raises(ProcedureError) as raised:
        load(tmp_path, GOOD.replace(old, new))
    [problem] = [problem for problem in raised.value.problems if message in problem.message]
    assert (Path(problem.file).name, problem.line) == ("mailboxes.yaml", line)


def test_address_of_two_mailboxes_and_id_used_twice(tmp_path: Path) -> None:
    text = GOOD.replace(
        "\nport: {",
        "\n  - {id: tousu, source: mails, addresses: [tousu@jiesu.example]}"
        "\n  - {id: b, source: mails, addresses: [tousu@jiesu.example]}\nport: {",
    )
    with pytest.raises(ProcedureError) as raised:
        load(tmp_path, text)
    messages = [problem.message for problem in raised.value.problems]
    assert messages == [
        "mailboxes has tousu twice; rename one",
        "tousu@jiesu.example is an address of tousu too; leave it with one mailbox",
    ]


def test_file_by_which_no_mail_is_read(tmp_path: Path) -> None:
    with pytest.raises(ProcedureError, match="no mailbox has imap and there is no port"):
        load(tmp_path, "mailboxes: [{id: a, source: mails, addresses: [a@b.cn]}]")


def test_oauth2_needs_one_way_to_a_token(tmp_path: Path) -> None:
    both = GOOD.replace(
        "password_env: MAIL_PASSWORD",
        "oauth2: {token_file: /run/t, token_url: 'https://x', client_id: c, refresh_token_env: MAIL_PASSWORD}",
    )
    with pytest.raises(ProcedureError, match="give either token_file, or token_url"):
        load(tmp_path, both)
    plain = GOOD.replace(
        "password_env: MAIL_PASSWORD", "oauth2: {token_url: 'http://x.example/t', client_id: c, refresh_token_env: MAIL_PASSWORD}"
    )
    with pytest.raises(ProcedureError, match="token_url must begin with https"):
        load(tmp_path, plain)


def test_the_file_of_the_guide_can_be_used(tmp_path: Path) -> None:
    guide = (PROJECT / "docs/how-to/receive-mail.md").read_text(encoding="utf-8")
    [block] = [text for text in re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL) if text.startswith("mailboxes:")]
    path = tmp_path / "mailboxes.yaml"
    path.write_text(block, encoding="utf-8")
    file = load_mailboxes(path, ["mails"], {"TOUSU_PASSWORD": "p"})
    assert [mailbox.id for mailbox in file.mailboxes] == ["tousu"]
    assert file.port is not None
    assert file.port.protocol == "lmtp"
