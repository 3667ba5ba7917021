"""Divides the text of an answer from the history that mail programs quote below it."""

import re
from dataclasses import dataclass

_SEPARATOR = re.compile(
    r"\s*-{2,}\s*(?:原始邮件|原始郵件|原邮件|回复的原邮件|回复邮件|转发邮件信息|original message|ursprüngliche nachricht)\s*-{2,}.{0,40}",
    re.IGNORECASE,
)
_WRITER = re.compile(
    r"\s*(?:(?:on|am)\s.{5,200}\s(?:wrote|schrieb)(?:\s.{0,100})?:|(?:在\s?|于\s?)?.{4,200}(?:写道|寫道|撰写|的邮件)\s?[:：])\s*",
    re.IGNORECASE,
)
_WRITER_BEGINS = re.compile(r"\s*(?:on\s.{5,150}|在\s?\d{4}.{4,150})", re.IGNORECASE)
_FROM = re.compile(r"\s*[*>]?\s*(?:from|发件人|寄件者|寄件人|von)\s?\*?\s?[:：].{1,300}", re.IGNORECASE)
_SENT = re.compile(
    r"\s*[*>]?\s*(?:sent|date|to|发送时间|发送日期|日期|时间|收件人|寄件日期|收件者|gesendet|an)\s?\*?\s?[:：].{1,300}", re.IGNORECASE
)
_RULE = re.compile(r"\s*_{10,}\s*")
_FORWARDED = re.compile(r"\s*(?:fwd?|转发|轉寄|转寄|wg)\s?[:：]", re.IGNORECASE)
_LINES_OF_A_HEAD = 4
_MAX_LINE = 400


@dataclass(frozen=True, slots=True)
class AnswerText:
    """The sender's own text, and the quoted history, empty without one."""

    text: str
    quoted: str = ""


def without_history(text: str, subject: str) -> AnswerText:
    """The text without the history below it. Nothing is cut from a forwarded mail, nor where nothing else would be left."""
    if _FORWARDED.match(subject):
        return AnswerText(text)
    lines = text.split("\n")
    start = _start_of_history(lines)
    own = "\n".join(lines[:start]).strip()
    if not own or start == len(lines):
        return AnswerText(text)
    return AnswerText(own, "\n".join(lines[start:]).strip())


def _start_of_history(lines: list[str]) -> int:
    """The index of the first quoted line, the number of lines without any."""
    for index, line in enumerate(lines):
        if len(line) <= _MAX_LINE and _begins_history(lines, index):
            return index - 1 if index and _RULE.fullmatch(lines[index - 1]) else index
    return _start_of_trailing_quote(lines)


def _begins_history(lines: list[str], index: int) -> bool:
    line = lines[index]
    if _SEPARATOR.fullmatch(line):
        return True
    if _FROM.fullmatch(line):
        return any(_SENT.fullmatch(after[:_MAX_LINE]) for after in lines[index + 1 : index + _LINES_OF_A_HEAD])
    following = "\n".join(lines[index + 1 : index + 3]).lstrip()
    if _WRITER.fullmatch(line):
        # «小区物业写道：» in a complaint is followed by the complaint; a program's line by marks, or it names an address or an instant.
        return following.startswith(">") or "@" in line or re.search(r"\d{1,2}[:：]\d{2}", line) is not None
    # The writer's line is often broken into two.
    joined = f"{line} {lines[index + 1]}" if index + 1 < len(lines) and _WRITER_BEGINS.fullmatch(line) else ""
    return bool(joined) and len(joined) <= _MAX_LINE and "@" in joined and _WRITER.fullmatch(joined) is not None


def _start_of_trailing_quote(lines: list[str]) -> int:
    """The first line of a block of lines with `>` that ends the text; answers between quoted lines keep the whole."""
    start = len(lines)
    while start and (lines[start - 1].startswith(">") or not lines[start - 1].strip()):
        start -= 1
    return start if any(line.startswith(">") for line in lines[start:]) else len(lines)
