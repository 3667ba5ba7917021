"""No registry's address or machine's path in any file; no file and no function too long to be read at once."""

import ast
import re

from tests.support.repository import PROJECT, python_files, relative_name, text_files

REGISTRIES = re.compile(
    r"\b(pypi\.org|pythonhosted\.org|repo1?\.maven\.(apache\.)?org|maven\.aliyun|registry\.npmjs|proxy\.golang|mirrors?\.[a-z]+\.(com|cn|edu|org))\b"
    r"|--(extra-)?index-url\s+\S*://",
    re.IGNORECASE,
)
MACHINE_PATHS = re.compile(r"(?<![\w.])/(work|farm|root)/[\w.]")
LONGEST_FILE = 400
LONGEST_FUNCTION = 60


def found(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{relative_name(path)}:{number}: {line.strip()[:80]}"
        for path in text_files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_file_names_a_package_registry() -> None:
    assert found(REGISTRIES) == []


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    assert found(MACHINE_PATHS) == []


def test_the_patterns_find_what_they_are_for() -> None:
    assert REGISTRIES.search("https://" + "pypi" + ".org/simple")
    assert REGISTRIES.search("--index-url https:" + "//example")
    assert MACHINE_PATHS.search("see /" + "work/main")


def test_no_python_file_is_too_long() -> None:
    lengths = {relative_name(path): path.read_text(encoding="utf-8").count("\n") for path in python_files()}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def test_no_function_is_too_long() -> None:
    long = [
        f"{relative_name(path)}:{node.lineno} {node.name}"
        for path in python_files()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno + 1 > LONGEST_FUNCTION
    ]
    assert long == []


def test_every_module_says_what_it_is() -> None:
    silent = [
        relative_name(path)
        for path in python_files()
        if path.stat().st_size and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_the_makefile_stays_thin_and_describes_itself() -> None:
    targets = re.findall(r"^([a-z]+):(.*)$", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert [name for name, rest in targets if "##" not in rest and name != "help"] == []
    assert len(targets) <= 13
