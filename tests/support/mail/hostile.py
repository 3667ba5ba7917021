"""Hostile mails: generated forms that are known to hurt parsers, and real forms with bytes changed; the same for the same seed."""

import base64
from collections.abc import Callable, Iterator
from random import Random

from tests.support.mail.building import OUR_MESSAGE_ID, SAMPLES, mail, multipart

_BIG = 150_000
_BOUNDARY = b"--b1"
_INTERESTING = [
    b"\x00",
    b"\xff",
    b"\r",
    b"\n",
    b"=?gb2312?B?",
    b"?=",
    b"<!--",
    b"<",
    b'"',
    b"(",
    b";",
    b"--b1",
    b"\r\n\r\n",
    b"%",
    b"{",
    b"\x1b$)A",
]


def hostile_mails(count: int, seed: int = 1) -> Iterator[bytes]:
    """`count` mails; each generated form, then mutations of real ones."""
    random = Random(seed)
    forms = real_forms()
    for number in range(count):
        if number < len(GENERATED):
            yield GENERATED[number](random)
        elif number % 5 == 0:
            yield random.choice(GENERATED)(random)
        else:
            yield mutated(random.choice(forms), random)


def real_forms() -> list[bytes]:
    """Mails as programs write them."""
    parts = [
        ("text/plain; charset=gbk", "请看照片".encode("gbk")),
        ("text/html; charset=utf-8", "<div>请看<b>照片</b></div>".encode()),
        ("image/jpeg; name=a.jpg\r\nContent-Transfer-Encoding: base64", base64.b64encode(bytes(range(256)))),
    ]
    reply = mail("又坏了\n\n在 2026-11-09 09:00，<a@b.cn> 写道：\n> 已登记", fields=(f"In-Reply-To: {OUR_MESSAGE_ID}",))
    samples = [path.read_bytes() for path in sorted(SAMPLES.glob("*.eml"))]
    return [*samples, reply, mail("<p>电梯</p>", html=True), multipart("mixed", *parts), multipart("alternative", *parts[:2])]


def mutated(raw: bytes, random: Random) -> bytes:
    """The mail with a few changes: bytes flipped, cut, repeated, inserted, lines swapped."""
    data = bytearray(raw)
    for _ in range(random.randint(1, 8)):
        if not data:
            break
        at = random.randrange(len(data))
        match random.randrange(7):
            case 0:
                data[at] = random.randrange(256)
            case 1:
                del data[at : at + random.randint(1, 60)]
            case 2:
                data[at:at] = random.choice(_INTERESTING) * random.randint(1, 30)
            case 3:
                data[at:at] = data[at : at + random.randint(1, 200)] * random.randint(1, 5)
            case 4:
                del data[at:]
            case 5:
                lines = bytes(data).split(b"\r\n")
                random.shuffle(lines)
                data = bytearray(b"\r\n".join(lines))
            case _:
                data[at:at] = random.randbytes(random.randint(1, 100))
    return bytes(data)


def _head(*fields: bytes) -> bytes:
    return b"\r\n".join([b"From: a@b.cn", b"To: tousu@jiesu.example", *fields, b""]) + b"\r\n"


def _nested_multiparts(random: Random) -> bytes:
    depth = random.choice([30, 90, 3000])
    return _head(b"Content-Type: multipart/mixed; boundary=b0") + b"".join(
        b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (level, level + 1) for level in range(depth)
    )


def _nested_messages(random: Random) -> bytes:
    return b"Content-Type: message/rfc822\r\n\r\n" * random.choice([10, 90, 3000]) + b"text"


def _many_parts(random: Random) -> bytes:
    part = b"--b1\r\nContent-Type: text/plain\r\n\r\nx\r\n"
    return _head(b"Content-Type: multipart/mixed; boundary=b1") + part * random.choice([200, 5000])


def _long_parameters(random: Random) -> bytes:
    value = random.choice([b'="', b';a="\\"', b";*0*=", b"; name*999999999999999999999999=x"]) * (_BIG // 8)
    return _head(b"Content-Type: text/plain" + value) + b"text"


def _many_fields(random: Random) -> bytes:
    return _head(*[b"X-%d: y" % number for number in range(random.choice([1000, 20_000]))]) + b"text"


def _long_fields(random: Random) -> bytes:
    name = random.choice([b"From", b"Subject", b"References", b"Received", b"Date", b"To", b"Message-ID"])
    value = random.choice([b"(", b"<a@b>", b"=?gb2312?B?", b"=?utf-8?Q?=41?= ", b"a@", b'"', b" ", b"\xd6\xec", b"by x; "])
    return _head(name + b": " + value * (_BIG // len(value))) + b"text"


def _html(random: Random) -> bytes:
    piece = random.choice(
        [
            b"<",
            b"<!--",
            b"<!-- >",
            b"<p ",
            b"<div>",
            b"&#1;",
            b"<a href='",
            b"</",
            b"<![CDATA[",
            b"<style>",
            b"&nbsp;",
            b" ",
            b"<p a=",
            b"<?x",
        ]
    )
    return _head(b"Content-Type: text/html; charset=utf-8") + piece * (_BIG // len(piece)) + b"text"


def _spaces(random: Random) -> bytes:
    return _head(b"Content-Type: text/plain") + random.choice([b" ", b"\t", b"\n", b">", b"-", b"_", b"on ", b"\xc2\xa0"]) * _BIG + b"x"


def _charsets(random: Random) -> bytes:
    label = random.choice(
        [b"zlib", b"unicode_escape", b"utf-7", b"hz", b"iso-2022-kr", b"utf-16", b"x" * 500, b"\xff", b"gb2312", b"iso-8859-12", b""]
    )
    return _head(b"Content-Type: text/plain; charset=" + label) + random.randbytes(20_000)


def _encodings(random: Random) -> bytes:
    encoding = random.choice([b"base64", b"quoted-printable", b"x-uuencode", b"7bit", b"unknown"])
    return _head(b"Content-Type: text/plain", b"Content-Transfer-Encoding: " + encoding) + b"begin 644 x\n" + random.randbytes(5_000)


def _reports(random: Random) -> bytes:
    status = b"Reporting-MTA: dns; x\r\n\r\n" + b"Action: failed\r\nStatus: 5.1.1\r\n\r\n" * random.choice([1, 3000])
    returned = b"Message-ID: " + random.choice([OUR_MESSAGE_ID.encode(), b"<" * 1000, b"\xff"]) + b"\r\n"
    kind = random.choice(["text/rfc822-headers", "message/rfc822-headers"])
    return multipart("report", ("message/delivery-status", status), (kind, b"Subject: a\x0cX:b\r\n" + returned))


def _references(_: Random) -> bytes:
    return mail(fields=("References: " + " ".join([OUR_MESSAGE_ID.replace("8b0b", f"{number:04x}") for number in range(80)]),))


def _dates(random: Random) -> bytes:
    date = random.choice([b"0", b"Mon, 99 Nov 99999 99:99:99 +9999", b"1" * 5000, b"\x00", b"Fri, 31 Dec 9999 23:59:59 -2359", b"-" * 500])
    return _head(b"Date: " + date, b"Received: from x by mail.jiesu.example; " + date) + b"text"


def _noise(random: Random) -> bytes:
    return random.randbytes(random.choice([0, 1, 10, 1000, 100_000]))


def _line(random: Random) -> bytes:
    return _head(b"Content-Type: text/plain") + random.choice([b"x", "电".encode(), b"\x00", b"="]) * _BIG


def _nul_and_surrogates(_: Random) -> bytes:
    return mail("a\x00b\ud800c".encode("utf-8", "surrogatepass").decode("utf-8", "replace"), subject="\x00\u202e")


GENERATED: list[Callable[[Random], bytes]] = [
    _nested_multiparts, _nested_messages, _many_parts, _long_parameters, _many_fields, _long_fields, _html, _spaces, _charsets, _encodings,
    _reports, _references, _dates, _noise, _line, _nul_and_surrogates,
]  # fmt: skip
