"""The text of a mail: charsets, header fields, parts, HTML and quoted history."""

import base64
import codecs

import pytest

from services.intake.channels.mail import charsets
from services.intake.channels.mail.bodies import read_body
from services.intake.channels.mail.charsets import decode_text
from services.intake.channels.mail.headers import decoded, read_date, read_sender
from services.intake.channels.mail.message import parse_mail
from services.intake.channels.mail.quoting import without_history
from tests.support.mail.building import mail, multipart

CHINESE = "我是朱镕生，3号楼电梯又坏了，请尽快处理。"


@pytest.mark.parametrize("label", ["gb2312", "GBK", "x-gbk", "cp936", "gb18030", "GB_2312-80", "euc-cn"])
def test_labels_of_simplified_chinese(label: str) -> None:
    assert decode_text(f"{CHINESE}𠮷".encode("gb18030"), label) == (f"{CHINESE}𠮷", "")


@pytest.mark.parametrize(
    ("data", "label", "note"),
    [
        (CHINESE.encode("gb18030"), "", "charset: no known label, read as gb18030"),
        (CHINESE.encode("gb18030"), "us-ascii", "charset: ascii, read as gb18030"),
        (CHINESE.encode("gb18030"), "iso-8859-1", "charset: cp1252, read as gb18030"),
        (CHINESE.encode("gb18030"), "utf-8", "charset: utf_8, read as gb18030"),
        (CHINESE.encode(), "gb2312", "charset: gb18030, read as utf_8"),
        (CHINESE.encode(), "x-unknown", "charset: no known label, read as utf_8"),
        (CHINESE.encode(), "iso-8859-12", "charset: no known label, read as utf_8"),
    ],
)
def test_wrong_or_missing_labels_are_noted(data: bytes, label: str, note: str) -> None:
    assert decode_text(data, label) == (CHINESE, note)


def test_western_text_stays_western() -> None:
    text = "Beschwerde über den Aufzug, größte Störung, fährt überhaupt nicht"
    assert decode_text(text.encode("latin-1"), "iso-8859-1") == (text, "")


def test_label_never_reaches_a_codec_that_is_none_of_text() -> None:
    for label in ("zlib", "unicode_escape", "rot13", "base64", "punycode", "idna", "undefined", "\x00", "../x", "a" * 5000):
        text, _ = decode_text(b"\\u4e2d 3\xc2\xb0", label)
        assert text == "\\u4e2d 3°"


def test_mail_cut_inside_a_character_keeps_its_label() -> None:
    text, note = decode_text(CHINESE.encode("gb18030")[:-1], "gb2312")
    assert text[:-1] == CHINESE[:-1]
    assert note == "charset: gb18030 with bytes that do not fit"


def test_encoded_words_that_divide_a_character_are_joined() -> None:
    data = "电梯停运".encode("gb18030")
    words = " ".join(f"=?gb2312?B?{base64.b64encode(part).decode()}?=" for part in (data[:3], data[3:]))
    assert decoded(words) == "电梯停运"
    assert decoded(f"Re: {words} ok") == "Re: 电梯停运 ok"


def test_raw_bytes_in_a_header_field_are_read() -> None:
    raw = b"Subject: " + CHINESE.encode("gb18030") + b"\r\n\r\nx"
    assert decoded(parse_mail(raw).field("subject")) == CHINESE
    raw = b"Subject: " + CHINESE.encode() + b"\r\n\r\nx"
    assert decoded(parse_mail(raw).field("subject")) == CHINESE


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("王五 <a@b.cn>", ("王五", "a@b.cn")),
        ('"王, 五" <a@b.cn>', ("王, 五", "a@b.cn")),
        ("=?utf-8?B?546L5LqU?= <a@b.cn>", ("王五", "a@b.cn")),
        ("a@straße.de", ("", "a@straße.de")),
        ("a＠qq.com", ("", "a＠qq.com")),
        ("no address", ("", "")),
        ("(" * 3000, ("", "")),
        ("<a@b.cn", ("", "a@b.cn")),
    ],
)
def test_sender(field: str, expected: tuple[str, str]) -> None:
    assert read_sender(field) == expected


@pytest.mark.parametrize("text", ["", "0", "Mon, 99 Foo 2026", "Mon, 09 Nov 0001 09:00:00 +9999", "\x00", "1" * 5000])
def test_unreadable_date(text: str) -> None:
    assert read_date(text) is None


def test_plain_part_is_preferred_unless_it_is_empty() -> None:
    plain, html = ("text/plain; charset=utf-8", "文本".encode()), ("text/html; charset=utf-8", "<p>网页</p>".encode())
    assert read_body(parse_mail(multipart("alternative", plain, html)).root).text == "文本"
    assert read_body(parse_mail(multipart("alternative", (plain[0], b" "), html)).root).text == "网页"


def test_html_is_read_without_tags_comments_and_styles() -> None:
    html = "<style>p{}</style><!-- <p>no</p> --><p>您好，</p><p>电梯停运 3 天&nbsp;了</p><script>x()</script><!-- open"
    assert read_body(parse_mail(mail(html, html=True)).root).text == "您好，\n电梯停运 3 天\u00a0了"


@pytest.mark.parametrize(("declaration", "text"), [("<<!x>![x[ >", "![x[ >"), ("<<?x>!-- ->", "!-- ->"), ("<<<!x>", "")])
def test_declarations_that_are_left_out_make_no_new_ones(declaration: str, text: str) -> None:
    html = f"<p>电梯{declaration * 9000}停运</p>"
    assert read_body(parse_mail(mail(html, html=True)).root).text == f"电梯{text * 9000}停运"


def test_every_codec_of_text_exists() -> None:
    for name in charsets._KNOWN:
        assert codecs.lookup(name)


def test_attachments_are_named() -> None:
    name = base64.b64encode("照片.jpg".encode("gb18030")).decode()
    raw = multipart(
        "mixed",
        ("text/plain; charset=utf-8", "见附件".encode()),
        (f'image/jpeg; name="=?gb2312?B?{name}?="\r\nContent-Transfer-Encoding: base64', base64.b64encode(b"\xff\xd8")),
        ("application/pdf\r\nContent-Disposition: attachment; filename*=utf-8''%E5%90%88%E5%90%8C.pdf", b"%PDF"),
        ("text/plain\r\nContent-Disposition: attachment; filename=log.txt", b"log"),
    )
    body = read_body(parse_mail(raw).root)
    assert body.text == "见附件"
    assert [item for item, _ in body.attachments] == ["照片.jpg", "合同.pdf", "log.txt"]


def test_mail_forwarded_as_an_attachment_is_read() -> None:
    raw = multipart("mixed", ("text/plain", b""), ("message/rfc822", mail("电梯停运", subject="投诉")))
    body = read_body(parse_mail(raw).root)
    assert body.text == "电梯停运"
    assert [name for name, _ in body.attachments] == ["投诉.eml"]


def test_flowed_text_is_joined() -> None:
    raw = mail("line one \nline two\n").replace(b"text/plain;", b"text/plain; format=flowed;")
    assert read_body(parse_mail(raw).root).text == "line one line two"


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("又坏了\n\n------------------ 原始邮件 ------------------\n发件人: x\n内容", "又坏了"),
        ("又坏了\n-----Original Message-----\nFrom: a\nTo: b", "又坏了"),
        ('又坏了\n\n在 2026-11-09 09:00:00，"接诉" <a@b.cn> 写道：\n> 您的投诉', "又坏了"),
        ("Broken again\n\nOn Mon, Nov 9, 2026 at 9:00 AM Jiesu <a@b.cn> wrote:\n> text", "Broken again"),
        ("Broken again\n\nOn Mon, Nov 9, 2026 at 9:00 AM Jiesu <case+abcdefgh@b.cn>\nwrote:\n> text", "Broken again"),
        ("又坏了\n________________________________\n发件人: 接诉 <a@b.cn>\n发送时间: 2026年11月9日\n收件人: 王", "又坏了"),
        ("又坏了\n发件人： 接诉\n发送时间： 2026-11-09 09:00\n主题： x", "又坏了"),
        ("又坏了\n> 您的投诉\n> 已登记\n", "又坏了"),
    ],
)
def test_quoted_history_is_cut_off_and_kept(text: str, own: str) -> None:
    answer = without_history(text, "Re: 投诉")
    assert answer.text == own
    assert answer.quoted
    assert f"{answer.text}\n{answer.quoted}".split() == text.split()


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("> 已登记\n没有人来", "Re: x"),
        ("-----Original Message-----\nFrom: a\nTo: b\n电梯停运", "Re: x"),
        ("请看\n-----Original Message-----\nFrom: a\nTo: b\n电梯停运", "Fwd: x"),
        ("请看\n发件人： 物业\n发送时间： 昨天", "转发：x"),
        ("小区公告写道：\n电梯停运三天", "投诉"),
        ("物业的人说了，发件人: 不明", "投诉"),
    ],
)
def test_what_is_no_history_below_an_answer_stays(text: str, subject: str) -> None:
    assert without_history(text, subject).text == text


def test_charset_with_a_nul_is_no_label() -> None:
    raw = mail("电梯").replace(b"charset=utf-8", b"charset=utf\x00-8").replace(b"base64", b"8bit") + "电".encode()
    assert read_body(parse_mail(raw).root).text
