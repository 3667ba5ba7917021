"""Reads Markdown documents and lists what they mention that does not exist: links, commands, modules, paths and names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

from cli.main import COMMANDS, load_command
from cli.reference import declared
from tests.support.repository import PROJECT, text_files

_FENCE = re.compile(r"^( *)```([a-z]*).*?\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
_SHELL_LANGUAGES = {"", "console", "sh"}
_PACKAGES = "cli|simulator|services|shared|deploy|tests"
_PATH = re.compile(rf"(?:\./)?((?:{_PACKAGES}|docs|\.ci)/[\w.<>*/-]*)(?:::(\w+))?(?=$|[\s:,;)\]])")
_FILE_NAME = re.compile(r"[\w-]+\.(?:py|ya?ml|md|toml|j2|sh)")
_MODULE = re.compile(rf"(?:{_PACKAGES})(?:\.\w+)+(?::\w+)?")
_CLASS = re.compile(r"[A-Z][a-z]+(?:[A-Z][a-z0-9]*)+")
_FUNCTION = re.compile(r"(?:\w+\.)*(\w+)\(\)")
_VARIABLE = re.compile(r"\bJIESU_[A-Z0-9_]*[A-Z0-9]\b|\bjiesu_[a-z0-9_]*[a-z0-9]\b")
_JIESU = re.compile(r"(?:^|(?<=[\s/(|;&]))jiesu +(?=[a-z-])((?:(?!\bjiesu )[^|;&#`)\n])*)")
_MAKE = re.compile(r"(?:^|(?<=[\s(|;&]))make +([a-z]+)((?: +[A-Z]+=)*)")
_IMPORT = re.compile(rf"^from ((?:{_PACKAGES})[\w.]*) import (.+)$", re.MULTILINE)
_PYTHON = re.compile(rf"python[\d.]* -m ((?:{_PACKAGES})[\w.]*)([^|;&#`\n]*)")


@dataclass(frozen=True, slots=True)
class Document:
    """A Markdown text and where it is stored; links are relative to that path."""

    path: Path
    text: str

    @property
    def prose(self) -> str:
        """The text without fenced blocks."""
        return _FENCE.sub("", self.text)

    @property
    def spans(self) -> list[str]:
        """Inline code."""
        return _SPAN.findall(self.prose)

    @property
    def shell(self) -> list[str]:
        """Inline code and the lines of fenced blocks that show a terminal, with continued lines joined."""
        blocks = [body for _, language, body in _FENCE.findall(self.text) if language in _SHELL_LANGUAGES]
        return [*self.spans, *chain.from_iterable(re.sub(r"\\\n\s*", "", block).splitlines() for block in blocks)]

    @property
    def python(self) -> list[str]:
        """Fenced blocks of Python."""
        return [body for _, language, body in _FENCE.findall(self.text) if language == "python"]

    @property
    def links(self) -> list[str]:
        """Targets of links, those to other sites left out."""
        return [target for target in _LINK.findall(_SPAN.sub("", self.prose)) if not re.match(r"[a-z]+:", target)]

    @property
    def anchors(self) -> set[str]:
        """The names that a forge gives to the headings; a repeated heading gets a number."""
        names: dict[str, int] = {}
        for heading in re.findall(r"^#+\s+(.*?)\s*$", self.prose, re.MULTILINE):
            name = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
            names[name] = names.get(name, -1) + 1
            if names[name]:
                names[f"{name}-{names[name]}"] = 0
        return set(names)


def documents() -> list[Document]:
    """Every Markdown file of the project."""
    return [Document(path, path.read_text(encoding="utf-8")) for path in text_files() if path.suffix == ".md"]


def faults(document: Document) -> list[str]:
    """What the document mentions that does not exist, one line a fault."""
    finders = (_links, _commands, _targets, _modules, _imports, _paths, _names)
    return list(dict.fromkeys(fault for find in finders for fault in find(document)))


def _links(document: Document) -> Iterator[str]:
    for target in document.links:
        name, _, anchor = target.partition("#")
        path = (document.path.parent / name).resolve() if name else document.path
        if name and not path.exists():
            yield f"link to {target}: no such file"
        elif anchor and path.suffix == ".md":
            linked = Document(path, path.read_text(encoding="utf-8")) if name else document
            if anchor.lower() not in linked.anchors:
                yield f"link to {target}: no such heading"


def _commands(document: Document) -> Iterator[str]:
    for call in chain.from_iterable(_JIESU.findall(line) for line in document.shell):
        words = [word for word in re.split(r"[\s\[\]]+", call) if word]
        if words[0].startswith("-"):
            continue
        first = words[0].rstrip(":.,")
        if first not in COMMANDS:
            yield f"jiesu {first}: no such command"
        elif not words[0].endswith(":"):  # an error message that begins with the command's name has no arguments
            yield from _arguments(f"jiesu {first}", _command(first), words[1:])


def _arguments(name: str, tool: Any, words: list[str]) -> Iterator[str]:
    group = getattr(tool, "commands", None)
    if group and words and re.fullmatch(r"[a-z-]+:?", words[0]) and not words[0].startswith("-"):
        subcommand = words[0].rstrip(":")
        if subcommand not in group:
            yield f"{name} {subcommand}: no such command"
        elif not words[0].endswith(":"):
            yield from _arguments(f"{name} {subcommand}", group[subcommand], words[1:])
        return
    known = {"--help", *chain.from_iterable((*option.opts, *option.secondary_opts) for option in tool.params)}
    for word in words:
        option = word.partition("=")[0].rstrip(".,:")
        if option.startswith("--") and option not in known:
            yield f"{name} {option}: no such option"


@cache
def _command(name: str) -> Any:
    return load_command(name)


def _targets(document: Document) -> Iterator[str]:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    for target, variables in chain.from_iterable(_MAKE.findall(line) for line in document.shell):
        if not re.search(rf"^{target}:", makefile, re.MULTILINE):
            yield f"make {target}: no such target"
        for variable in re.findall(r"[A-Z]+", variables):
            if not re.search(rf"\$\((?:if |or )?{variable}\b", makefile):
                yield f"make {target} {variable}=: no such variable"


def _modules(document: Document) -> Iterator[str]:
    for module, arguments in chain.from_iterable(_PYTHON.findall(line) for line in document.shell):
        source = _source(module)
        if source is None:
            yield f"python -m {module}: no such module"
            continue
        for option in re.findall(r"(?<=\s)--[a-z-]+", arguments):
            if f'"{option}"' not in source.read_text(encoding="utf-8"):
                yield f"python -m {module} {option}: no such option"
    for name in (span for span in document.spans if _MODULE.fullmatch(span)):
        module, _, attribute = name.partition(":")
        if not attribute and _source(module) is None:
            module, _, attribute = name.rpartition(".")
        source = _source(module)
        if source is None or not re.search(rf"\b{attribute}\b", source.read_text(encoding="utf-8")):
            yield f"{name}: no such module or name in a module"


def _imports(document: Document) -> Iterator[str]:
    for module, names in chain.from_iterable(_IMPORT.findall(block) for block in document.python):
        source = _source(module)
        for name in re.split(r",\s*", names):
            exists = source and re.search(rf"\b{name}\b", source.read_text(encoding="utf-8"))
            if not exists and _source(f"{module}.{name}") is None:
                yield f"from {module} import {name}: no such module or name in a module"


def _source(module: str) -> Path | None:
    """The file that `python -m module` runs, or the package's own file."""
    base = PROJECT.joinpath(*module.split("."))
    candidates = (base.with_suffix(".py"), base / "__main__.py", base / "__init__.py")
    return next((path for path in candidates if path.exists()), None)


def _paths(document: Document) -> Iterator[str]:
    created = set(re.findall(r"\b(?:Create|create)\s+`([^`]+)`", document.prose))
    for path, test in chain.from_iterable(_PATH.findall(line) for line in document.shell):
        pattern = re.sub(r"<[^<>]*>|(?<=/)my[-_][\w.-]*", "*", path.rstrip("/."))
        matches = [PROJECT / pattern] if (PROJECT / pattern).exists() else list(PROJECT.glob(pattern))
        if not matches and path not in created:
            yield f"{path}: no such file or folder"
        elif matches and test and not re.search(rf"def {test}\b", matches[0].read_text(encoding="utf-8")):
            yield f"{path}::{test}: no such test"
    for name in document.spans:
        if _FILE_NAME.fullmatch(name) and not name.startswith("my") and name not in created and name not in _file_names():
            yield f"{name}: no such file"


def _names(document: Document) -> Iterator[str]:
    for span in document.spans:
        function = _FUNCTION.fullmatch(span)
        if _CLASS.fullmatch(span) and not _is_word(span):
            yield f"{span}: no such class"
        elif function and not _is_word(function[1]):
            yield f"{span}: no such function"
    metrics = {series for metric in declared.declared_metrics() for series in (metric.name, *metric.series_names)}
    for variable in chain.from_iterable(_VARIABLE.findall(line) for line in document.shell):
        if variable not in metrics and not _is_word(variable):
            yield f"{variable}: no such setting or metric"


def _is_word(name: str) -> bool:
    return name in _words()


@cache
def _words() -> frozenset[str]:
    """Every identifier in a file that is neither a document nor a test that plants faults."""
    texts = (path.read_text(encoding="utf-8") for path in text_files() if path.suffix != ".md" and path.parent.name != "architecture")
    return frozenset(chain.from_iterable(re.findall(r"\w+", text) for text in texts))


@cache
def _file_names() -> frozenset[str]:
    return frozenset(path.name for path in text_files())
