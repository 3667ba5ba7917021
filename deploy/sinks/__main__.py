"""Runs both sinks until interrupted: `python -m deploy.sinks --folder var/sinks`."""

import argparse
import asyncio
import os
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import uvloop

from deploy.sinks.mail import MailSink
from deploy.sinks.sms import ReceiptCallback, SmsSink


def main() -> None:
    """Parse the command line and run the sinks."""
    parser = argparse.ArgumentParser(prog="python -m deploy.sinks", description="Store mails and text messages instead of sending them.")
    parser.add_argument("--folder", type=Path, default=Path("var/sinks"), help="folder of mail.jsonl and sms.jsonl")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--smtp-port", type=int, default=2525, help="port of the mail server; 0 for a free one")
    parser.add_argument("--sms-port", type=int, default=8025, help="port of the SMS gateway; 0 for a free one")
    parser.add_argument("--receipts", default="", help="URL for delivery receipts, such as http://127.0.0.1:8004/v1/receipts")
    sys.exit(uvloop.run(serve(parser.parse_args())))


async def serve(options: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM; returns the exit status, 1 for sinks that cannot run.

    The secrets are read from the environment, under the names of notify's settings.
    """
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    token = os.environ.get("JIESU_SMS_TOKEN", "")
    secret = os.environ.get("JIESU_SMS_RECEIPT_SECRET", "")
    callback = ReceiptCallback(options.receipts, secret) if options.receipts else None
    async with AsyncExitStack() as sinks:
        try:
            mail = await sinks.enter_async_context(MailSink(options.folder, options.host, options.smtp_port))
            sms = await sinks.enter_async_context(SmsSink(options.folder, options.host, options.sms_port, token=token, callback=callback))
        except OSError as error:
            print(f"Error: {error}; give another --smtp-port, --sms-port or --folder", file=sys.stderr, flush=True)  # noqa: T201 - a command
            return 1
        print(f"mail: {mail.host}:{mail.port}, text messages: {sms.url}, stored in {options.folder}", flush=True)  # noqa: T201 - a command
        await stop.wait()
    return 0


if __name__ == "__main__":
    main()
