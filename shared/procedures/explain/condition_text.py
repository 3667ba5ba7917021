"""Turns a CEL condition into words, token by token: titles for names, words for signs."""

import re
from typing import TYPE_CHECKING

from shared.procedures.explain import event_action_names, value_names
from shared.procedures.explain.event_action_names import BilingualNames

if TYPE_CHECKING:
    from shared.procedures.explain.procedure_texts import ProcedureTexts

_TOKENS = re.compile(
    r"""(?P<text>'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")|(?P<call>\.(?:contains|startsWith|endsWith|matches)\()|(?P<size>size\()"""
    r"""|(?P<path>[A-Za-z_][\w]*(?:\.\w+(?!\w*\())*)|(?P<number>\d+(?:\.\d+)?)|(?P<sign>\?:|&&|\|\||==|!=|>=|<=|[!<>()\[\],?:+\-*/%.])"""
)
_COUNT_IS_ZERO = re.compile(r"\bcount\.(\w+)\s*(?:==\s*0|<\s*1)(?![\d.])")
_COUNT_IS_POSITIVE = re.compile(r"\bcount\.(\w+)\s*(?:>\s*0|>=\s*1|!=\s*0)(?![\d.])")
_LIST_NOT_EMPTY = re.compile(r"\bsize\(([\w.]+)\)\s*>\s*0(?![\d.])")
_FALLBACK_IF_EMPTY = re.compile(r"([\w.]+)\s*!=\s*''\s*\?\s*\1\s*:")
_JOINING_LITERAL = re.compile(r"\+\s*'[^'\w]*'\s*\+")
_OPERATOR_NAMES: BilingualNames = {
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
_CALL_NAMES: BilingualNames = {
    ".contains(": ("包含（", "contains ("),
    ".startsWith(": ("开头为（", "begins with ("),
    ".endsWith(": ("结尾为（", "ends with ("),
    ".matches(": ("符合（", "fits the pattern ("),
}


def condition_text(texts: "ProcedureTexts", source: str) -> str:
    """A condition in words: `!facts.urgent && case.class == 'valid'` → not “Urgent” and class is “Valid complaint”."""
    text = _COUNT_IS_POSITIVE.sub(r"ever.\1", _COUNT_IS_ZERO.sub(r"never.\1", " ".join(source.split())))
    text = _LIST_NOT_EMPTY.sub(r"\1 != ''", text.replace("[0]", ""))
    text = _JOINING_LITERAL.sub("+", _FALLBACK_IF_EMPTY.sub(r"\1 ?: ", text))
    found, path = list[str](), ""
    for match in _TOKENS.finditer(text):
        kind, token = str(match.lastgroup), match.group()
        path = token if kind == "path" and token not in _OPERATOR_NAMES else path
        found.append(_token_text(texts, kind, token, path))
    if texts.is_chinese:
        return "".join(found)
    joined = " ".join(part for part in found if part)
    return joined.replace("( ", "(").replace(" )", ")").replace(" ,", ",")


def _token_text(texts: "ProcedureTexts", kind: str, token: str, path: str) -> str:
    if kind == "text":
        return _literal_text(texts, token[1:-1], path)
    if kind == "call":
        return texts.lookup(_CALL_NAMES, token)
    if kind == "size":
        return texts.choose("数量（", "the number of (")
    if kind == "path" and token not in _OPERATOR_NAMES:
        return _name_text(texts, token.split("."))
    return texts.lookup(_OPERATOR_NAMES, token) if token in _OPERATOR_NAMES else token


def _literal_text(texts: "ProcedureTexts", text: str, path: str) -> str:
    if not text:
        return texts.choose("空", "empty")
    if path.startswith(("facts", "parameters")) or path.endswith((".text", ".title")):
        return texts.quote(text)
    if path.endswith(".class"):
        return texts.quote(texts.class_(text))
    if text in texts.procedure.role_names or text in value_names.VALUE_NAMES:
        return texts.quote(texts.role(text))
    if text in texts.procedure.facts:
        return texts.quote(texts.fact(text))
    return texts.quote(texts.action(text) if text in event_action_names.ACTION_NAMES else text)


def _name_text(texts: "ProcedureTexts", path: list[str]) -> str:
    match path:
        case ["never", event]:
            return texts.choose(f"尚无{texts.event(event)}", f"there has not been {texts.event(event)}")
        case ["ever", event]:
            return texts.choose(f"已有{texts.event(event)}", f"there has been {texts.event(event)}")
        case ["facts", name]:
            return texts.quote(texts.fact(name))
        case ["parameters", name]:
            return texts.quote(texts.parameter(name))
        case ["count", event]:
            return texts.choose(f"{texts.event(event)}的次数", f"the number of times of {texts.event(event)}")
        case ["complaint", "kind"]:
            return texts.choose("来件申报的类别", "the kind as submitted")
    label = texts.lookup(value_names.FIELD_NAMES, path[-1])
    match path:
        case ["last", event, _]:
            return texts.choose(
                f"最近一次{texts.event(event)}的{label}", f"the {label} of the latest {_without_article(texts.event(event))}"
            )
        case ["complaint", "complainant", _]:
            return texts.choose(f"投诉人的{label}", f"the complainant's {label}")
        case ["event", _]:
            return texts.choose(f"其{label}", f"its {label}")
    return label


def _without_article(event: str) -> str:
    return re.sub(r"^(?:an?|the) ", "", event)
