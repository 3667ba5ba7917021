"""Reads values out of the words of a hit: numbers of persons, amounts in yuan, identities, places."""

import re
from collections.abc import Mapping, Sequence

from services.triage.domain.reading.numerals import numeral_value

# 十几 and 上百 name no number: the lowest one that they mean.
_VAGUE = re.compile(r"([0-9一二两三四五六七八九十百千]+)?(几|多|余|来|好几)?")
# What 几, 几十 and 几百 mean at least.
_SEVERAL = {"": 3, "10": 20, "十": 20, "100": 200, "百": 200}
_PERSONS = re.compile(
    r"(?P<more>上|不下|超过|至少有?|近|将近)?(?P<number>[0-9]{1,5}|[0-9一二两三四五六七八九十百千几好]{1,7})(?P<vague>多|余|几|来|好几|好)?"
    r"(?=个?(?:户|家|名|位|口|人|业主|住户|邻居|员工|职工|同事|工友|兄弟|家长|租客|老人|舍友|室友|来号|号人))"
)
_ENGLISH_NUMBERS = {
    name: value
    for value, name in enumerate(
        [
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
            "twenty",
        ],
        start=1,
    )
} | {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "hundred": 100, "dozen": 12, "both": 2}
_ENGLISH_COUNT = re.compile(r"\b([0-9]{1,4}|" + "|".join(_ENGLISH_NUMBERS) + r")\b", re.IGNORECASE)
_AMOUNT = re.compile(
    r"(?P<currency>(?:rmb|cny|¥|￥)\s?)?(?P<number>[0-9][0-9,]*(?:\.[0-9]+)?|[一二两三四五六七八九十百千]+)(?P<scale>[万亿wkWK千百])?(?P<rest>[0-9一二三四五六七八九](?:[千百][0-9一二三四五六七八九]?百?)?)?"
    r"\s?(?P<unit>元|块钱|块|圆|人民币|yuan|rmb|cny|renminbi)?",
    re.IGNORECASE,
)
_SCALES = {"百": 100, "千": 1_000, "k": 1_000, "万": 10_000, "w": 10_000, "亿": 100_000_000}
_TOTAL = re.compile(r"(?:共计|合计|总共|一共|总计|合共|共|总额|in all|in total|altogether|total of|totalling)\D{0,6}$", re.IGNORECASE)
_PARTS = re.compile(
    r"(?:([0-9A-Za-z]{1,4}(?:-[0-9]{1,2}(?=号楼|栋|幢|座))?)(?:号楼|号栋|栋楼|栋|幢楼|幢|座楼|座|#楼|#|楼|-))?(?:的)?(?:([0-9A-Za-z东西中]{1,2})(?:单元|门洞|门|-))?(?:的)?(?:[0-9]{1,3}(?:楼|层))?([0-9A-Za-z]{1,2}-?[0-9]{2,4}[A-Za-z]?|[0-9]{3,4}[A-Za-z]?)?"
)


def read_persons(words: str) -> tuple[int, bool] | None:
    """The number of persons, and whether it is only the lowest that the words mean."""
    if "俩" in words or "仨" in words:
        return (2 if "俩" in words else 3), False
    match = None
    for match in _PERSONS.finditer(words):
        number = _persons_number(match["number"], match["vague"] or "")
        if number is not None:
            return number[0], number[1] or match["more"] in ("上", "不下", "超过", "至少", "至少有")
    english = list(_ENGLISH_COUNT.finditer(words))
    if match is None and english:
        text = english[-1][1].lower()
        return (int(text) if text.isdigit() else _ENGLISH_NUMBERS[text]), False
    return None


def _persons_number(text: str, vague: str) -> tuple[int, bool] | None:
    is_lowest = bool(vague) or "几" in text or "好" in text
    plain = text.replace("好", "")
    if plain.startswith("几"):
        # 几十 is at least 20; 几10 is its reading copy.
        rest = plain[1:]
        value = _SEVERAL.get(rest)
        return None if value is None else (value, True)
    before = plain.rstrip("几")
    if before[:1] in ("百", "千"):
        before, is_lowest = f"一{before}", True
    if re.fullmatch("[一二三四五六七八九]{2}", before) and not vague:
        # 七八户: the lower of the two.
        low, high = numeral_value(before[0]), numeral_value(before[1])
        return (low, True) if low is not None and high == low + 1 else None
    pair = re.fullmatch("([一二两三四五六七八])([二三四五六七八九])(十|百)", before)
    if pair:
        low = numeral_value(pair[1] + pair[3])
        return None if low is None else (low, True)
    value = int(before) if before.isdigit() else numeral_value(before)
    return None if not value else (value + (1 if vague or "几" in text else 0), is_lowest)


def read_amounts(words: str) -> list[tuple[int, bool]]:
    """The amounts in yuan in the order of the words, each with whether the words call it a total."""
    amounts = []
    for match in _AMOUNT.finditer(words):
        is_total = _TOTAL.search(words[: match.start()]) is not None
        # 一共1700 and 八百 are amounts without a unit, as numbers of hundreds in words are.
        if not (match["currency"] or match["unit"] or match["scale"] or is_total or re.search("[百千]", match["number"])):
            continue
        value = _amount(match)
        if value:
            amounts.append((value, is_total))
    return amounts


def _amount(match: re.Match[str]) -> int | None:
    text = match["number"].replace(",", "")
    number = float(text) if text[0].isdigit() else _spoken(text)
    if number is None:
        return None
    scale = _SCALES.get((match["scale"] or "").lower(), 1)
    return round(number * scale + _rest(match["rest"] or "", scale))


def _spoken(text: str) -> int | None:
    """A numeral as it is spoken: 四千六 is 4,600."""
    if re.fullmatch(".[百千][一二三四五六七八九]", text):
        head, tail = numeral_value(text[:2]), numeral_value(text[2])
        return None if head is None or tail is None else head + tail * _SCALES[text[1]] // 10
    return numeral_value(text)


def _rest(text: str, scale: int) -> int:
    """Return the value of the characters after a large unit: 5 in 3万5 is 5,000, 5千 in 3万5千 too."""
    value, digit = 0, 0
    for character in text:
        if character in "千百":
            value, digit = value + digit * _SCALES[character], 0
        else:
            digit = int(character) if character.isdigit() else (numeral_value(character) or 0)
    return value + digit * (scale // 10 if not value else 1)


def choose_amount(amounts: Sequence[tuple[int, bool]]) -> int | None:
    """The total if the words name one, else the sum of the amounts."""
    totals = [value for value, is_total in amounts if is_total]
    if totals:
        return totals[-1]
    return sum(value for value, _ in amounts) or None


def read_identity(words: str, identities: Mapping[str, Sequence[str]]) -> str | None:
    """The identity that the words name first."""
    folded = words.casefold()
    places = {name: min((folded.find(e) for e in expressions if e in folded), default=-1) for name, expressions in identities.items()}
    named = {place: name for name, place in reversed(places.items()) if place >= 0}
    return named[min(named)] if named else None


def normal_place(words: str) -> str:
    """Building, unit and room in one form, such as `3栋2单元1201`; empty for words that name none of them."""
    match = _PARTS.fullmatch(words.strip().rstrip("室号户房间"))
    if match is None:
        return ""
    building, unit, room = match.groups()
    return "".join([f"{building.upper()}栋" if building else "", f"{unit.upper()}单元" if unit else "", (room or "").upper()])
