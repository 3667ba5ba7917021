"""Debian's Dovecot: the IMAP server that most organisations run; installed and started by root only."""

import imaplib
import os
import pwd
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded.ports import free_ports
from deploy.embedded.process import ManagedProcess, wait_until
from tests.support.servers import debian_packages

PASSWORD = "mail-password"
_OWNER = "nobody"  # Dovecot delivers to no mailbox of root
_CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
listen = 127.0.0.1
protocols = imap
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{folder}/mail/%u
first_valid_uid = 1
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u
}}
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
"""


def why_not_available() -> str:
    """Why Dovecot cannot run here, empty if it can; installs it where root may."""
    if os.geteuid() != 0:
        return "Dovecot is started by root on Debian only"
    return debian_packages.why_not_available("dovecot", "dovecot-imapd")


@dataclass(frozen=True)
class Dovecot:
    """A running server; every name is a user with `PASSWORD`."""

    imap_port: int
    folder: Path
    owner: pwd.struct_passwd

    def deliver(self, user: str, raw: bytes, name: str) -> None:
        """Deliver a mail as a mail server does: into the maildir."""
        maildir = self.folder / "mail" / user
        for part in ("cur", "new", "tmp"):
            (maildir / part).mkdir(parents=True, exist_ok=True)
        path = maildir / "tmp" / name
        path.write_bytes(raw)
        for entry in (self.folder / "mail", maildir, maildir / "cur", maildir / "new", maildir / "tmp", path):
            os.chown(entry, self.owner.pw_uid, self.owner.pw_gid)
        path.rename(maildir / "new" / name)

    def forget_uids(self, user: str) -> None:
        """Lose the index, as after a restore: the server then gives a new UIDVALIDITY."""
        list_file = self.folder / "mail" / user / "dovecot-uidlist"
        made_at = int(list_file.stat().st_mtime)
        for path in list_file.parent.glob("dovecot*"):
            path.unlink()
        # The new one is the second in which it is made.
        assert wait_until(lambda: int(time.time()) > made_at, 3)


@contextmanager
def running_dovecot() -> Iterator[Dovecot]:
    """The server in a folder of its own."""
    owner = pwd.getpwnam(_OWNER)
    with tempfile.TemporaryDirectory(prefix="jiesu-dovecot-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the login process has a user of its own
        (folder / "mail").mkdir()
        os.chown(folder / "mail", owner.pw_uid, owner.pw_gid)
        [port] = free_ports(1)
        configuration = folder / "dovecot.conf"
        configuration.write_text(
            _CONFIGURATION.format(folder=folder, password=PASSWORD, uid=owner.pw_uid, gid=owner.pw_gid, port=port), encoding="utf-8"
        )
        process = ManagedProcess("Dovecot", folder / "output.log", signal.SIGTERM)
        process.start(["dovecot", "-F", "-c", str(configuration)])
        try:
            assert wait_until(lambda: _answers(port), 20), (folder / "output.log").read_text()
            yield Dovecot(port, folder, owner)
        finally:
            process.stop(seconds=10)


def _answers(port: int) -> bool:
    try:
        imaplib.IMAP4("127.0.0.1", port, timeout=2).logout()
    except OSError:
        return False
    return True
