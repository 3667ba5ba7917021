"""GreenMail: a real IMAP and SMTP server in Java, for one session of tests."""

import imaplib
import signal
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from deploy.embedded.kafka import java
from deploy.embedded.ports import free_ports
from deploy.embedded.process import ManagedProcess, wait_until
from tests.support.servers.maven_jar import fetch_jar
from tests.support.servers.session_servers import print_progress

PASSWORD = "mail-password"
START_SECONDS = 60.0


@dataclass(frozen=True)
class GreenMail:
    """A running server; every address gets a mailbox with its first mail, `user` and `PASSWORD` log in to one."""

    smtp_port: int
    imap_port: int
    imaps_port: int

    def send(self, raw: bytes, recipient: str) -> None:
        """Deliver a mail by SMTP."""
        with smtplib.SMTP("127.0.0.1", self.smtp_port, timeout=20) as client:
            client.sendmail("sender@customer.example", [recipient], raw)

    @contextmanager
    def imap(self, user: str, folder: str = "INBOX") -> Iterator[imaplib.IMAP4]:
        """A session of another client with the folder selected."""
        client = imaplib.IMAP4("127.0.0.1", self.imap_port, timeout=20)
        try:
            client.login(user, PASSWORD)
            client.select(folder)
            yield client
        finally:
            client.logout()

    def append(self, user: str, raw: bytes, at: datetime, folder: str = "INBOX") -> None:
        """Store a mail with an INTERNALDATE."""
        with self.imap(user) as client:
            result, answer = client.append(folder, "", imaplib.Time2Internaldate(at), raw)
            assert result == "OK", answer


@contextmanager
def running_greenmail(folder: Path, users: list[str]) -> Iterator[GreenMail]:
    """The server with these users, whose addresses are `<user>@jiesu.example`."""
    smtp, imap, imaps, api = free_ports(4)
    options = {
        "greenmail.smtp.hostname": "127.0.0.1", "greenmail.smtp.port": smtp, "greenmail.imap.hostname": "127.0.0.1",
        "greenmail.imap.port": imap, "greenmail.imaps.hostname": "127.0.0.1", "greenmail.imaps.port": imaps,
        "greenmail.api.hostname": "127.0.0.1", "greenmail.api.port": api,
        "greenmail.startup.timeout": int(START_SECONDS * 1000),
        "greenmail.users": ",".join(f"{user}:{PASSWORD}@jiesu.example" for user in users),
    }  # fmt: skip
    process = ManagedProcess("GreenMail", folder / "greenmail.log", signal.SIGTERM)
    flags = ["-Xmx192m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true"]
    jar = fetch_jar(Path(__file__).parent)
    process.start([java.ensure_java(print_progress), *flags, *(f"-D{name}={value}" for name, value in options.items()), "-jar", str(jar)])
    try:
        server = GreenMail(smtp, imap, imaps)
        assert wait_until(lambda: _answers(server, users), START_SECONDS), (folder / "greenmail.log").read_text()[-2000:]
        yield server
    finally:
        process.stop(seconds=10)


def _answers(server: GreenMail, users: list[str]) -> bool:
    """Whether every user can log in: the server listens before it has made its users."""
    try:
        for user in users:
            with server.imap(user):
                pass
        smtplib.SMTP("127.0.0.1", server.smtp_port, timeout=2).quit()
    except (OSError, imaplib.IMAP4.error):
        return False
    return True
