"""Place names in a text: two texts that name different places are not about the same event, however alike their words are."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

Place = tuple[str, str]
"""Kind and name of a place."""

# From the narrowest kind to the widest: the first one that both texts name decides.
_SITES: Final = {
    "site": (
        "小区|花园|家园|公寓|大厦|广场|新城|花苑|新苑|雅苑|公馆|华府|名邸|庄园|新村|学校|小学|中学|大学|学院|幼儿园|医院|市场|商场|超市|酒店|工地|"
        "工业园|产业园|公园|车站|火车站|地铁站|楼盘"
    ),
    "company": "工厂|公司",
    "village": "社区|村(?!民)",
    "road": "大道|大街|街(?!道)|路(?![人灯过上况程])|巷|高速|立交桥|大桥|隧道",
    "town": "街道|镇|乡",
}
_ENGLISH_SITES: Final = {
    "site": "Court|Gardens?|Estate|Tower|Plaza|Park|School|College|University|Hospital|Market|Mall|Hotel|Station",
    "company": "Ltd|Inc|Company",
    "village": "Village|Community",
    "road": "Street|St|Road|Rd|Avenue|Ave|Lane|Drive|Bridge|Boulevard",
    "town": "Town|District",
}
# Numbers tell places apart; those of lines also show that two are the same, while every estate has a building 3.
_NUMBERED: Final = {
    "line": r"(\d{1,3})号线|(?i:line)\s(\d{1,3})\b",
    "bus": r"(\d{1,4})路(?:公交|车|汽车)|(?i:bus|route)\s(\d{1,4})\b",
    "building": r"(\d{1,4}|[a-zA-Z]\d{0,3})\s?(?:号楼|号栋|栋|幢|座)|(?i:building|block|tower)\s(\d{1,4}|[a-z]\d{0,3})\b",
    "unit": r"(\d{1,2})单元|(?i:unit)\s(\d{1,2})\b",
    "phase": r"(\d{1,2})期(?![间限望待货中末])|(?i:phase)\s(\d{1,2})\b",
}
_LINES: Final = ("line", "bus")
# Words that stand before a name without being part of it; 仁和 and 向阳 are names, so that two characters have to be left.
_BEFORE: Final = re.compile(
    "[的在于与和及至到从往由是住对向把被给去有将为了这那该每个位我你他她们请问让使经过市区县]|关于|附近|旁边|对面|投诉|反映|咨询|举报"
)
_CHINESE: Final = re.compile(
    f"(?P<stem>[\u4e00-\u9fff]{{2,8}}?)(?:{'|'.join(f'(?P<{kind}>{endings})' for kind, endings in _SITES.items())})"
)
_ENGLISH = re.compile(
    "|".join(rf"(?P<{kind}>(?:[A-Z][\w'-]+\s){{1,3}}(?:{endings})\b)" for kind, endings in _ENGLISH_SITES.items()),
)
_NUMBERS = {kind: re.compile(pattern) for kind, pattern in _NUMBERED.items()}
# What is said of any place names none.
_ANY: Final = re.compile(
    "(?:本|此|某|各|全|整|大型|农贸|建筑|施工|物业|开发|有限|附近|周边|业主|住宅|老旧|封闭|农|走|马|公|道|铁|线|修|堵|逛|上|下)$"
)
_MAX_PLACES = 20


@dataclass(frozen=True, slots=True)
class Places:
    """The places that a text names, as kind and name, and what the complaint's fields state; empty fields state nothing."""

    named: frozenset[Place] = frozenset()
    place: str = ""
    thing: str = ""


def find_places(text: str, place: str = "", thing: str = "") -> Places:
    """The places of a text and of the complaint's fields `place` and `object`."""
    found = list(dict.fromkeys([*_sites(f"{text}\n{place}"), *_numbers(f"{text}\n{place}")]))[:_MAX_PLACES]
    return Places(frozenset(found), _normal(place), _normal(thing))


def common_place(one: Places, other: Places) -> str | None:
    """A place or an object of both, "" where nothing shows that the places are the same; None: they are different."""
    if one.thing and other.thing:
        return one.thing if one.thing == other.thing else None
    line = ""
    for kind in _NUMBERED:
        numbers, others = _of_kind(one, kind), _of_kind(other, kind)
        if numbers and others and not numbers & others:
            return None
        if kind in _LINES and numbers & others:
            line = f"{kind} {min(numbers & others)}"
    for kind in _SITES:
        names, others = _of_kind(one, kind), _of_kind(other, kind)
        if names and others:
            return next((a for a in sorted(names) for b in sorted(others) if a in b or b in a), None)
    if one.place and other.place:
        return one.place if one.place == other.place else None
    return line


def _of_kind(places: Places, kind: str) -> set[str]:
    return {name for known, name in places.named if known == kind}


def _sites(text: str) -> Iterator[Place]:
    for match in _CHINESE.finditer(text):
        kind = str(match.lastgroup)
        stem = _without_words_before(match["stem"])
        if len(stem) > 1 and not _ANY.search(stem):
            # Two writers give one place another ending: 翠湖小区, 翠湖花园; the name itself tells places apart.
            yield kind, stem
    for match in _ENGLISH.finditer(text):
        name = match.group().casefold().split()
        yield str(match.lastgroup), " ".join(name[:-1])


def _without_words_before(stem: str) -> str:
    ends = [match.end() for match in _BEFORE.finditer(stem) if len(stem) - match.end() > 1]
    return stem[ends[-1] :] if ends else stem


def _numbers(text: str) -> Iterator[Place]:
    for kind, pattern in _NUMBERS.items():
        for match in pattern.finditer(text):
            yield kind, next(group for group in match.groups() if group).casefold()


def _normal(text: str) -> str:
    return " ".join(text.casefold().split())[:200]
