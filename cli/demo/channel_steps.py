"""Steps of the demo in which complaints come by mail, in a file and by the web form."""

from __future__ import annotations

import asyncio
import csv
import io
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from email.message import EmailMessage
from hashlib import sha256

import aiosmtplib

from cli.database import connect
from cli.demo.channels import MAIL_ADDRESS, MAIL_SOURCE
from cli.demo.month_plan import START
from cli.demo.sender import MAX_ATTEMPTS, DemoSender

_MAILS = (("地下车库漏水", "B2车库顶板漏水，地面积水，请尽快处理。"), ("快递柜", "快递柜占用消防通道，请协调移走。"))
_AUTOMATIC = ("Auto: 不在办公室", "我在休假。")
_TITLES = ("工单号", "受理时间", "来电人", "联系电话", "诉求内容")
_ROWS = (
    ("F-1", "09:10", "唐女士", "13900000301", "花园灯不亮，晚上看不见路。"),
    ("F-2", "09:40", "崔先生", "13900000302", "装修噪音，周末早上七点就开始。"),
    ("F-2", "09:40", "崔先生", "13900000302", "装修噪音，周末早上七点就开始。"),
    ("F-3", "10:05", "孟女士", "13900000303", ""),
)
_FORM = {"text": "儿童滑梯的护栏松动，怕孩子摔下来。", "place": "中心花园", "name": "丁女士", "phone": "13900000401"}
_TOKEN = re.compile(r'name="token" value="([^"]+)"')
_FORM_SECONDS = 3.2
"""A form that is sent sooner after it was opened is taken for a program's."""


async def show_channels(sender: DemoSender, mail_port: int) -> list[str]:
    """Use each channel; returns one line for each that did not bring what it should."""
    lines = await asyncio.gather(_send_mails(sender, mail_port), _import_file(sender), _send_form(sender))
    return [line for line in lines if line]


async def _send_mails(sender: DemoSender, port: int) -> str:
    """Two complaints, one of them sent twice by a careful mail server, and an automatic reply that makes no case."""
    await _day(sender, 7)
    mails = [_mail(subject, text, automatic=False) for subject, text in (*_MAILS, _MAILS[0])]
    for mail in (*mails, _mail(*_AUTOMATIC, automatic=True)):
        try:
            await aiosmtplib.send(mail, hostname="127.0.0.1", port=port, recipients=[MAIL_ADDRESS], start_tls=False, timeout=30)
        except (OSError, aiosmtplib.SMTPException) as error:
            return f"intake's mail port did not take a mail: {type(error).__name__}"
    cases = await _cases(sender, "SELECT case_id FROM intake.complaint WHERE source = $1", MAIL_SOURCE, number=len(_MAILS))
    return _note(sender, cases, received=len(mails), expected=len(_MAILS), transport="mail")


async def _import_file(sender: DemoSender) -> str:
    """A contact centre's export in GB18030: two complaints, a repeated row and one without text."""
    day = await _day(sender, 8)
    rows = [(number, f"{day:%Y-%m-%d} {time}", *rest) for number, time, *rest in _ROWS]
    text = io.StringIO()
    csv.writer(text).writerows([_TITLES, *rows])
    headers = {"Authorization": f"Bearer {sender.secrets['sources']['property-hotline']['api_key']}", "Content-Type": "text/csv"}
    url = f"{sender.stack.url('intake')}/v1/imports?name=export.csv"
    answer = await sender.http.post(url, content=text.getvalue().encode("gb18030"), headers=headers)
    if not answer.is_success:
        return f"intake did not take the file: {answer.status_code}"
    query = "SELECT case_id FROM intake.import_row JOIN intake.import_file ON id = import_id WHERE state = 'done' AND status = 'registered'"
    cases = await _cases(sender, query, number=2)
    return _note(sender, cases, received=len(rows), expected=2, transport="file", refused=1)


async def _send_form(sender: DemoSender) -> str:
    """A resident fills in the form of the web page."""
    await _day(sender, 9)
    page = f"{sender.stack.url('intake')}/complain/property-web"
    opened = await sender.http.get(page)
    token = _TOKEN.search(opened.text)
    if token is None:
        return f"the web form was not served: {opened.status_code}"
    await asyncio.sleep(_FORM_SECONDS)
    answer = await sender.http.post(page, data={**_FORM, "token": token[1]}, files={"files": ("", b"")})
    query = "SELECT case_id FROM intake.complaint WHERE source = 'property-web' AND position($1 in body) > 0"
    cases = await _cases(sender, query, _FORM["text"], number=1) if answer.is_success else []
    return _note(sender, cases, received=1, expected=1, transport="form")


def _mail(subject: str, text: str, *, automatic: bool) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "resident@customer.example", MAIL_ADDRESS, subject
    mail["Message-ID"] = f"<{sha256(text.encode()).hexdigest()[:16]}@customer.example>"
    if automatic:
        mail["Auto-Submitted"] = "auto-replied"
    mail.set_content(text)
    return mail


async def _day(sender: DemoSender, day: int) -> datetime:
    """Wait for a day of the month, noon."""
    at = START + timedelta(days=day, hours=4)
    await asyncio.sleep(max(0.0, sender.clock.seconds_until(at)))
    return at


async def _cases(sender: DemoSender, query: str, *arguments: object, number: int) -> Sequence[str]:
    """The cases that the query finds, as soon as there are so many."""
    cases: list[str] = []
    async with connect(sender.stack.environment["DATABASE_URL"]) as connection:
        for _ in range(MAX_ATTEMPTS * 5):
            cases = [row["case_id"] for row in await connection.fetch(query, *arguments)]
            if len(cases) >= number:
                break
            await asyncio.sleep(0.1)
    return cases


def _note(sender: DemoSender, cases: Sequence[str], received: int, expected: int, transport: str, refused: int = 0) -> str:
    sender.accept(transport, *cases)
    sender.counts["received"] += received
    sender.counts["refused"] += refused
    sender.counts["resent"] += received - refused - len(cases)
    return "" if len(cases) == expected else f"{transport}: {len(cases)} complaints were registered, not {expected}"
