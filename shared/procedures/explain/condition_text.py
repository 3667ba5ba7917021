"""A CEL condition in words, token by token: titles for names, words for operators.

The CEL library offers no syntax tree, so this reads tokens; an expression that it does not know keeps its symbols.
"""

import re

from shared.procedures.explain.event_action_names import ACTION_NAMES, BilingualNames
from shared.procedures.explain.names import ProcedureNames
from shared.procedures.explain.value_names import FIELD_NAMES, VALUE_NAMES

_TOKENS = re.compile(
    r"""(?P<literal>'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")|(?P<call>\.(?:contains|startsWith|endsWith|matches)\()|(?P<size>size\()"""
    r"""|(?P<path>[A-Za-z_][\w]*(?:\.\w+(?!\w*\())*)|(?P<number>\d+(?:\.\d+)?)|(?P<sign>\?:|&&|\|\||==|!=|>=|<=|[!<>()\[\],?:+\-*/%.])"""
)
# Forms in which packs often write a condition, and which read badly token by token.
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


def condition_text(names: ProcedureNames, source: str) -> str:
    """A condition in words: `!facts.urgent && case.class == 'valid'` → not “Urgent” and class is “Valid complaint”."""
    words, path = list[str](), ""
    for match in _TOKENS.finditer(_simplify(source)):
        kind, token = str(match.lastgroup), match.group()
        path = token if kind == "path" and token not in _OPERATOR_NAMES else path
        words.append(_token_text(names, kind, token, path))
    if names.is_chinese:
        return "".join(words)
    sentence = " ".join(word for word in words if word)
    return sentence.replace("( ", "(").replace(" )", ")").replace(" ,", ",")


def _simplify(source: str) -> str:
    """Expressions that packs use often, in a form that reads well token by token: `count.handled == 0` → `never.handled`."""
    # A pack counts by `complaint.against[0]`; in words the index says nothing.
    text = " ".join(source.split()).replace("[0]", "")
    text = _COUNT_IS_POSITIVE.sub(r"ever.\1", _COUNT_IS_ZERO.sub(r"never.\1", text))
    text = _LIST_NOT_EMPTY.sub(r"\1 != ''", text)
    return _JOINING_LITERAL.sub("+", _FALLBACK_IF_EMPTY.sub(r"\1 ?: ", text))


def _token_text(names: ProcedureNames, kind: str, token: str, path: str) -> str:
    if kind == "literal":
        return _literal_text(names, token[1:-1], path)
    if kind == "call":
        return names.lookup(_CALL_NAMES, token)
    if kind == "size":
        return names.choose("数量（", "the number of (")
    if kind == "path" and token not in _OPERATOR_NAMES:
        return _path_text(names, token.split("."))
    return names.lookup(_OPERATOR_NAMES, token) if token in _OPERATOR_NAMES else token


def _literal_text(names: ProcedureNames, text: str, path: str) -> str:
    """A text literal; `path` is the name before it, which decides whether it is a class, a role or a text of people's own."""
    if not text:
        return names.choose("空", "empty")
    if path.startswith(("facts", "parameters")) or path.endswith((".text", ".title")):
        return names.quote(text)
    if path.endswith(".class"):
        return names.quote(names.class_(text))
    if text in names.procedure.role_names or text in VALUE_NAMES:
        return names.quote(names.role(text))
    if text in names.procedure.facts:
        return names.quote(names.fact(text))
    return names.quote(names.action(text) if text in ACTION_NAMES else text)


def _path_text(names: ProcedureNames, path: list[str]) -> str:
    match path:
        case ["never", event]:
            return names.choose(f"尚无{names.event(event)}", f"there has not been {names.event(event)}")
        case ["ever", event]:
            return names.choose(f"已有{names.event(event)}", f"there has been {names.event(event)}")
        case ["facts", name]:
            return names.quote(names.fact(name))
        case ["parameters", name]:
            return names.quote(names.parameter(name))
        case ["count", event]:
            return names.choose(f"{names.event(event)}的次数", f"the number of times of {names.event(event)}")
        case ["complaint", "kind"]:
            return names.choose("来件申报的类别", "the kind as submitted")
    field = names.lookup(FIELD_NAMES, path[-1])
    match path:
        case ["last", event, _]:
            return names.choose(
                f"最近一次{names.event(event)}的{field}", f"the {field} of the latest {_without_article(names.event(event))}"
            )
        case ["complaint", "complainant", _]:
            return names.choose(f"投诉人的{field}", f"the complainant's {field}")
        case ["event", _]:
            return names.choose(f"其{field}", f"its {field}")
    return field


def _without_article(event_name: str) -> str:
    return re.sub(r"^(?:an?|the) ", "", event_name)
