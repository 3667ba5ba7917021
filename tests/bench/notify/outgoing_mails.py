"""Measures mails a second, and CPU a mail, for text alone, with the HTML twin, and signed by DKIM.

Run with `python -m tests.bench.notify.outgoing_mails`. The mail server is
the sink of `deploy/sinks` in a process of its own on this machine; only the sender's CPU is counted.
"""

import argparse
import asyncio
import os
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from services.notify.providers.mail.dkim_signing import DkimOptions, DkimSigner
from services.notify.providers.mail.layout_file import load_mail_layout
from services.notify.providers.mail.sessions import SmtpOptions
from services.notify.providers.mail.smtp import SmtpProvider
from services.notify.providers.provider import OutgoingMessage, SendAccepted
from shared.runtime.clock import Clock

_TEXT = """投诉单 TS-2026-00001：投诉已处理完毕，请及时组织回访（电话、上门、留言板等），并登记结果。

投诉事项：3号楼电梯停运，老人上下楼不便
收到时间：2026-09-24 16:40
责任部门：工程部
期限：2026-09-26 18:00
依据：物业客户投诉受理 3.7

请尽快办理；已办理的，请在系统中登记。"""
_CONCURRENCY = 20


@asynccontextmanager
async def mail_sink(folder: Path) -> AsyncIterator[int]:
    """The sink in a process of its own; yields its port."""
    command = [sys.executable, "-m", "deploy.sinks", "--folder", str(folder), "--smtp-port", "0", "--sms-port", "0"]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        line = (await process.stdout.readline()).decode() if process.stdout else ""
        match = re.search(r"mail: \S+:(\d+)", line)
        if match is None:
            raise RuntimeError(f"the sink did not start: {line!r}")
        yield int(match[1])
    finally:
        process.terminate()
        await process.wait()


async def send_all(provider: SmtpProvider, count: int) -> tuple[float, float]:
    """Send mails, `_CONCURRENCY` at a time; returns the seconds that passed and those of CPU."""
    pending = iter(range(count))

    async def work() -> None:
        for number in pending:
            message = OutgoingMessage(f"m{number}-{id(provider)}", "li@example.com", "待办：投诉单 TS-2026-00001", _TEXT, language="zh")
            result = await provider.send(message)
            if not isinstance(result, SendAccepted):
                raise RuntimeError(f"mail {number} was not accepted: {result.describe()}")  # noqa: TRY004 - no fault of a type

    started, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(work() for _ in range(_CONCURRENCY)))
    return time.perf_counter() - started, time.process_time() - cpu


def signer(folder: Path) -> DkimSigner:
    """A signer with a new key of 2,048 bits."""
    key = rsa.generate_private_key(65537, 2048)
    file = folder / "dkim.pem"
    file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return DkimSigner(DkimOptions("example.org", "s1", file))


async def measure(count: int) -> None:
    """Print one line for each kind of mail."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with mail_sink(folder) as port:
            options = SmtpOptions("127.0.0.1", port, "none", sender="Jiesu <jiesu@example.org>")
            layout = load_mail_layout(None)
            kinds = {
                "text": SmtpProvider(options, Clock()),
                "text and HTML": SmtpProvider(options, Clock(), layout),
                "text and HTML, signed": SmtpProvider(options, Clock(), layout, signer(folder)),
            }
            for kind, provider in kinds.items():
                await send_all(provider, _CONCURRENCY)  # opens the sessions
                seconds, cpu = await send_all(provider, count)
                sys.stdout.write(f"| {kind} | {count / seconds:,.0f} | {1e6 * cpu / count:,.0f} |" + "\n")
                await provider.close()
    sys.stdout.write(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores, Python {sys.version.split()[0]}" + "\n")


def main() -> None:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.notify.outgoing_mails")
    parser.add_argument("--mails", type=int, default=1000, choices=range(100, 20_001), metavar="N", help="mails of each kind")
    asyncio.run(measure(parser.parse_args().mails))


if __name__ == "__main__":
    main()
