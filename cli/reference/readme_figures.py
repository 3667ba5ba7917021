"""Fills the block of measured figures in both READMEs from docs/reference/performance.md."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from shared.runtime.errors import Misconfigured

PERFORMANCE = "docs/reference/performance.md"
_BLOCK = re.compile(r"(<!-- figures: written by `make docs` from \S+ -->\n).*?(<!-- end of figures -->)", re.DOTALL)
_RUN = r"^### {name}\n(.*?)(?=^#{{2,3}} |\Z)"


class Run(NamedTuple):
    """The figures of one run of `tests.bench.chain.pipeline`, as the page writes them."""

    rate: str
    events: str
    messages: str
    processor: str
    day: str


def readmes(folder: Path) -> dict[str, Callable[[], str]]:
    """Path of each README in the checkout → the function that generates its text."""
    return {name: partial(_readme_text, folder, name) for name in _SENTENCES}


def _readme_text(folder: Path, name: str) -> str:
    """The README with the current figures; raises `Misconfigured` where the block or a figure is missing."""
    page = (folder / PERFORMANCE).read_text(encoding="utf-8")
    sentence = _SENTENCES[name](_run(page, "one-notice"), _run(page, "hunan-property"))
    # A function, since a replacement string would have its backslashes interpreted.
    text, number = _BLOCK.subn(lambda block: f"{block[1]}{sentence}\n{block[2]}", (folder / name).read_text(encoding="utf-8"))
    if not number:
        raise Misconfigured(f"{name}: has no block of figures: put it back between its two comments")
    return text


def _run(page: str, name: str) -> Run:
    section = re.search(_RUN.format(name=re.escape(name)), page, re.MULTILINE | re.DOTALL)
    text = section[1] if section else ""
    labels = (
        r"\| complaints a second[^|]*\| ([\d,]+)",
        r"\| events[^|]*\| ([\d.]+)",
        r"\| messages[^|]*\| ([\d.]+)",
        r"\(([^()]*?, \d+ cores)",
        r"\([^()]*?, (\d{4}-\d\d-\d\d)\)",
    )
    figures = [re.search(label, text) for label in labels]
    if None in figures:
        raise Misconfigured(f"{PERFORMANCE}: has no figures of the run {name}: measure it with `make bench`")
    return Run(*(figure[1] for figure in figures if figure))


def _english(lean: Run, full: Run) -> str:
    return (
        f"- All servers, services and the load on one machine ({lean.processor}): {lean.rate} complaints a second with a procedure of one\n"
        f"  clock ({lean.events} events a complaint), {full.rate} with a complete regulation ({full.events} events and {full.messages} "
        f"messages a complaint).\n"
        f"  Runs of one commit differ by half on a shared machine ([figures]({PERFORMANCE})). Measured on {lean.day}: "
        f"what was\n  built later is not in these figures."
    )


def _chinese(lean: Run, full: Run) -> str:
    return (
        f"- 全部服务器、服务和负载同在一台机器上（{lean.processor.replace('cores', '核')}）：只有一个时限的精简规程每秒 {lean.rate} 件投诉"
        f"（每件 {lean.events} 个事件），\n"
        f"  一部完整规程每秒 {full.rate} 件（每件 {full.events} 个事件、{full.messages} 条消息）。"
        f"在共享机器上，同一版本的多次运行可相差一半（[数字]({PERFORMANCE})）。\n"
        f"  测于 {lean.day}：此后增加的功能不在这些数字之内。"
    )


_SENTENCES: dict[str, Callable[[Run, Run], str]] = {"README.md": _english, "README.zh.md": _chinese}
