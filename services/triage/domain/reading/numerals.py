"""Chinese numerals as digits where they count things: 五万元 → 50000元, 十二号楼 → 12号楼; 万一 and 十分 stay words."""

import re
from itertools import pairwise

_DIGITS = {
    character: value
    for value, characters in enumerate(["零〇", "一", "二两", "三", "四", "五", "六", "七", "八", "九"])
    for character in characters
}
# 七八户 are seven or eight.
_EITHER = frozenset(map("".join, pairwise("一二三四五六七八九"))) | {"两三"}
_UNITS = {"十": 10, "百": 100, "千": 1_000}
_LARGE_UNITS = {"万": 10_000, "亿": 100_000_000}
_NUMERAL_CHARACTERS = frozenset([*_DIGITS, *_UNITS, *_LARGE_UNITS])
_PARTS = _NUMERAL_CHARACTERS | frozenset("0123456789")
# What is counted; a numeral before another word may be a part of it (一直, 一样, 四周, 千万).
_COUNTED = r"元|块钱|号|楼|层|栋|幢|单元|室|户|人|名|位|个|次|遍|回|天|日|小时|分钟|月|年|岁|件|台|部|辆|张|条|米|吨|公斤|平|瓦|度电|期|倍"
# The length bound keeps the scan linear on a text of numerals alone.
_NUMERAL = re.compile(rf"([零〇一二两三四五六七八九十百千万亿]{{1,16}})(?={_COUNTED})")
# Numerals of cheques, only before 元: elsewhere they are words and names (大陆, 放肆).
_CHEQUE = re.compile("[零壹贰叁肆伍陆柒捌玖拾佰仟万]{1,16}(?=[元圆])")
_CHEQUE_CHARACTERS = str.maketrans("壹贰叁肆伍陆柒捌玖拾佰仟", "一二三四五六七八九十百千")
_MIXED = re.compile(r"(?<![0-9.])([0-9]{1,9}(?:\.[0-9]{1,4})?)([万亿])(?=元|块钱|人|名|户|多元|余元)")


def numerals_to_digits(text: str) -> str:
    """The text with counting numerals as digits."""
    if "元" in text or "圆" in text:
        text = _CHEQUE.sub(lambda match: match[0].translate(_CHEQUE_CHARACTERS), text)
    text = _NUMERAL.sub(_converted, text)
    return _MIXED.sub(_mixed, text) if "万" in text or "亿" in text else text


def _mixed(match: re.Match[str]) -> str:
    value = round(float(match[1]) * _LARGE_UNITS[match[2]])
    return str(value)


def _converted(match: re.Match[str]) -> str:
    # Digits before it make another number (3十), or a longer one than the pattern reads.
    is_part = match.string[match.start() - 1 : match.start()] in _PARTS
    value = None if is_part else numeral_value(match[1])
    return match[1] if value is None else str(value)


def numeral_value(numeral: str) -> int | None:
    """The number; None for characters that are no numeral in this order (万一, 百千), for others (一3, 几十) and for none."""
    if not numeral or numeral in _EITHER or not _NUMERAL_CHARACTERS.issuperset(numeral):
        return None
    if all(character in _DIGITS for character in numeral):
        # Read digit by digit, as in 二〇二六年.
        return int("".join(str(_DIGITS[character]) for character in numeral))
    total, section, digit = 0, 0, -1
    for character in numeral:
        if character in _DIGITS:
            if digit > 0:
                return None
            digit = _DIGITS[character]
        elif character in _UNITS:
            if digit < 0 and (character != "十" or section % 100):
                return None
            section += (1 if digit < 0 else digit) * _UNITS[character]
            digit = -1
        else:
            section += max(digit, 0)
            if not section:
                return None
            total, section, digit = (total + section) * _LARGE_UNITS[character], 0, -1
    return total + section + max(digit, 0)
