"""Run both sinks until interrupted: `python -m deploy.sinks --folder var/sinks`."""

import argparse
import asyncio
import os
import signal
from pathlib import Path

from deploy.sinks.mail import MailSink
from deploy.sinks.sms import ReceiptCallback, SmsSink


def main() -> None:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m deploy.sinks", description="Keep mails and text messages instead of sending them.")
    parser.add_argument("--folder", type=Path, default=Path("var/sinks"), help="where mail.jsonl and sms.jsonl are written")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--smtp-port", type=int, default=2525, help="port of the mail server; 0 takes a free one")
    parser.add_argument("--sms-port", type=int, default=8025, help="port of the text message gateway; 0 takes a free one")
    parser.add_argument("--receipts", default="", help="address that receipts go to, e.g. http://127.0.0.1:8004/v1/receipts")
    asyncio.run(serve(parser.parse_args()))


async def serve(options: argparse.Namespace) -> None:
    """Until SIGINT or SIGTERM; the secrets come from the environment, as the services' do."""
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    token = os.environ.get("JIESU_SMS_TOKEN", "")
    secret = os.environ.get("JIESU_SMS_RECEIPT_SECRET", "")
    callback = ReceiptCallback(options.receipts, secret) if options.receipts else None
    async with (
        MailSink(options.folder, options.host, options.smtp_port) as mail,
        SmsSink(options.folder, options.host, options.sms_port, token=token, callback=callback) as sms,
    ):
        print(f"mail: {mail.host}:{mail.port}, text messages: {sms.url}, kept in {options.folder}", flush=True)  # noqa: T201 - a command
        await stop.wait()


if __name__ == "__main__":
    main()
