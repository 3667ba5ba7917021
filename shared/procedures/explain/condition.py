"""Turns a CEL condition into words, token by token: titles for names, words for signs."""

import re
from typing import TYPE_CHECKING

from shared.procedures.explain import terms, words
from shared.procedures.explain.words import Words

if TYPE_CHECKING:
    from shared.procedures.explain.speech import Speech

_TOKEN = re.compile(
    r"""(?P<text>'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")|(?P<call>\.(?:contains|startsWith|endsWith|matches)\()|(?P<size>size\()"""
    r"""|(?P<path>[A-Za-z_][\w]*(?:\.\w+(?!\w*\())*)|(?P<number>\d+(?:\.\d+)?)|(?P<sign>\?:|&&|\|\||==|!=|>=|<=|[!<>()\[\],?:+\-*/%.])"""
)
_NEVER = re.compile(r"\bcount\.(\w+)\s*(?:==\s*0|<\s*1)(?![\d.])")
_EVER = re.compile(r"\bcount\.(\w+)\s*(?:>\s*0|>=\s*1|!=\s*0)(?![\d.])")
_ANY = re.compile(r"\bsize\(([\w.]+)\)\s*>\s*0(?![\d.])")
_FAILING = re.compile(r"([\w.]+)\s*!=\s*''\s*\?\s*\1\s*:")
_GLUE = re.compile(r"\+\s*'[^'\w]*'\s*\+")
_SIGNS: Words = {
    "&&": ("且", "and"),
    "||": ("或", "or"),
    "!": ("非", "not"),
    "==": ("为", "is"),
    "!=": ("不为", "is not"),
    ">=": (" ≥ ", "≥"),
    "<=": (" ≤ ", "≤"),
    ">": (" > ", ">"),
    "<": (" < ", "<"),
    "in": ("属于", "is one of"),
    "true": ("是", "yes"),
    "false": ("否", "no"),
    "[": ("", ""),
    "]": ("", ""),
    "(": ("（", "("),
    ")": ("）", ")"),
    ",": ("、", ","),
    "?:": ("，没有的则", ", failing that"),
    "+": ("与", "and"),
}
_CALLS: Words = {
    ".contains(": ("包含（", "contains ("),
    ".startsWith(": ("开头为（", "begins with ("),
    ".endsWith(": ("结尾为（", "ends with ("),
    ".matches(": ("符合（", "fits the pattern ("),
}


def condition(speech: "Speech", source: str) -> str:
    """A condition in words: `!facts.urgent && case.class == 'valid'` → not “Urgent” and class is “Valid complaint”."""
    text = _EVER.sub(r"ever.\1", _NEVER.sub(r"never.\1", " ".join(source.split())))
    text = _ANY.sub(r"\1 != ''", text.replace("[0]", ""))
    text = _GLUE.sub("+", _FAILING.sub(r"\1 ?: ", text))
    found, path = list[str](), ""
    for match in _TOKEN.finditer(text):
        kind, token = str(match.lastgroup), match.group()
        path = token if kind == "path" and token not in _SIGNS else path
        found.append(_said(speech, kind, token, path))
    if speech.chinese:
        return "".join(found)
    joined = " ".join(part for part in found if part)
    return joined.replace("( ", "(").replace(" )", ")").replace(" ,", ",")


def _said(speech: "Speech", kind: str, token: str, path: str) -> str:
    if kind == "text":
        return _literal(speech, token[1:-1], path)
    if kind == "call":
        return speech.word(_CALLS, token)
    if kind == "size":
        return speech.say("数量（", "the number of (")
    if kind == "path" and token not in _SIGNS:
        return _name(speech, token.split("."))
    return speech.word(_SIGNS, token) if token in _SIGNS else token


def _literal(speech: "Speech", text: str, path: str) -> str:
    if not text:
        return speech.say("空", "empty")
    if path.startswith(("facts", "parameters")) or path.endswith((".text", ".title")):
        return speech.quoted(text)
    if path.endswith(".class"):
        return speech.quoted(speech.class_(text))
    if text in speech.procedure.role_names or text in terms.VALUES:
        return speech.quoted(speech.role(text))
    if text in speech.procedure.facts:
        return speech.quoted(speech.fact(text))
    return speech.quoted(speech.action(text) if text in words.ACTIONS else text)


def _name(speech: "Speech", path: list[str]) -> str:
    match path:
        case ["never", event]:
            return speech.say(f"尚无{speech.event(event)}", f"there has not been {speech.event(event)}")
        case ["ever", event]:
            return speech.say(f"已有{speech.event(event)}", f"there has been {speech.event(event)}")
        case ["facts", name]:
            return speech.quoted(speech.fact(name))
        case ["parameters", name]:
            return speech.quoted(speech.parameter(name))
        case ["count", event]:
            return speech.say(f"{speech.event(event)}的次数", f"the number of times of {speech.event(event)}")
        case ["complaint", "kind"]:
            return speech.say("来件申报的类别", "the kind as submitted")
    label = speech.word(terms.FIELDS, path[-1])
    match path:
        case ["last", event, _]:
            return speech.say(f"最近一次{speech.event(event)}的{label}", f"the {label} of the latest {_bare(speech.event(event))}")
        case ["complaint", "complainant", _]:
            return speech.say(f"投诉人的{label}", f"the complainant's {label}")
        case ["event", _]:
            return speech.say(f"其{label}", f"its {label}")
    return label


def _bare(event: str) -> str:
    return re.sub(r"^(?:an?|the) ", "", event)
