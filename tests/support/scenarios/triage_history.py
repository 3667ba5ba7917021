"""A small history in Chinese and English, written for tests: sentences made of parts, with subject and department."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

_SUBJECTS: dict[str, tuple[str, list[str], list[str]]] = {
    "lift": (
        "engineering",
        ["电梯又停运了", "电梯门夹人", "轿厢里晃得厉害", "电梯按键失灵", "货梯一直不开"],
        ["the lift is stuck again", "the elevator door hits people", "the lift buttons do not work"],
    ),
    "noise": (
        "order",
        ["楼上半夜跳绳", "广场舞音响太吵", "装修噪音从早到晚", "邻居深夜唱歌", "空调外机嗡嗡响"],
        ["loud music at midnight", "drilling noise all day", "the neighbours shout every night"],
    ),
    "fee": (
        "finance",
        ["物业费多收了一个月", "停车费收费不合理", "水费账单算错", "押金不退还", "发票一直不开"],
        ["the bill charges a month twice", "my deposit was not refunded", "the parking fee is wrong"],
    ),
    "garden": (
        "engineering",
        ["草坪都枯死了", "树枝挡住窗户", "花坛里全是垃圾", "绿化带没人浇水", "杂草长得比人高"],
        ["the lawn is dead", "branches cover my window", "nobody waters the flower beds"],
    ),
}
_FRAMES_ZH = [
    "您好，我们{place}{matter}，请尽快处理。",
    "{place}{matter}，反映过几次都没有结果！",
    "投诉：{matter}，地点{place}，希望有人负责。",
]
_FRAMES_EN = ["Hello, at {place} {matter}, please help.", "{place}: {matter} and nothing has been done."]
_PLACES = ["3号楼", "东区", "幸福里小区"]


def rows() -> Iterator[dict[str, Any]]:
    """236 messages as JSON Lines hold them; those of one matter are a group."""
    group = 0
    for subject, (department, chinese, english) in _SUBJECTS.items():
        label = {"subject": subject, "department": department}
        for matters, frames, places in ((chinese, _FRAMES_ZH, _PLACES), (english, _FRAMES_EN, ["Block 3", "the east wing"])):
            for matter in matters:
                group += 1
                for place, frame in itertools.product(places, frames):
                    title = matter if place == places[0] else ""
                    yield {"title": title, "text": frame.format(place=place, matter=matter), "label": label, "group": group}


NAMES_CSV = "subject,name,synonym\nlift,电梯,elevator\nnoise,噪音,太吵\nfee,收费,物业费\ngarden,绿化,草坪\n"
