"""No registry's address or machine's path in any file; no file and no function too long to be read at once."""

import ast
import re
from collections import Counter
from pathlib import Path

from tests.support.repository import PROJECT, python_files, relative_name, text_files

REGISTRIES = re.compile(
    r"\b(pypi\.org|pythonhosted\.org|repo1?\.maven\.(apache\.)?org|maven\.aliyun|registry\.npmjs|proxy\.golang|mirrors?\.[a-z]+\.(com|cn|edu|org))\b"
    r"|--(extra-)?index-url\s+\S*://",
    re.IGNORECASE,
)
MACHINE_PATHS = re.compile(r"(?<![\w.])/(work|farm|root)/[\w.]")
LONGEST_FILE = 400
LONGEST_MODULE = 300
"""Of code; a module of tests may have `LONGEST_FILE` lines."""
LONGEST_FUNCTION = 60
PROBE_MIGRATIONS = "tests/integration/runtime/migrations"
"""Revisions of the service that the runtime's tests run: the one folder of tests without a folder of code."""


def found(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{relative_name(path)}:{number}: {line.strip()[:80]}"
        for path in text_files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_file_names_a_package_registry() -> None:
    assert found(REGISTRIES) == []


def test_no_file_names_a_path_of_a_machine() -> None:
    assert found(MACHINE_PATHS) == []


def test_the_patterns_match_registries_and_machine_paths() -> None:
    assert REGISTRIES.search("https://" + "pypi" + ".org/simple")
    assert REGISTRIES.search("--index-url https:" + "//example")
    assert MACHINE_PATHS.search("see /" + "work/main")


def test_no_python_file_is_too_long() -> None:
    lengths = {path: path.read_text(encoding="utf-8").count("\n") for path in python_files()}
    longest = {path: LONGEST_MODULE if _is_code(path) else LONGEST_FILE for path in lengths}
    assert {relative_name(path): length for path, length in lengths.items() if length > longest[path]} == {}


def test_no_function_is_too_long() -> None:
    long = [
        f"{relative_name(path)}:{node.lineno} {node.name}"
        for path in python_files()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno + 1 > LONGEST_FUNCTION
    ]
    assert long == []


def test_every_module_has_a_docstring() -> None:
    silent = [
        relative_name(path)
        for path in python_files()
        if path.stat().st_size and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_folders_of_tests_mirror_folders_of_code() -> None:
    roots = {"cli": "cli", "deploy": "deploy", "simulator": "simulator", "runtime": "shared/runtime", "procedures": "shared/procedures"}
    roots |= {name: f"services/{name}" for name in ("intake", "triage", "sla", "notify", "desk")}
    roots |= {"client": "client/jiesu_client", "support": "tests/support", "bench": "tests/bench"}
    without_code = []
    for kind in ("unit", "integration"):
        for package in sorted((PROJECT / "tests" / kind).rglob("__init__.py")):
            first, *rest = package.parent.relative_to(PROJECT / "tests" / kind).parts or ("cli",)
            if first not in roots or not PROJECT.joinpath(roots[first], *rest).is_dir():
                without_code.append(relative_name(package.parent))
    assert without_code == [PROBE_MIGRATIONS]


def test_no_folder_of_support_or_benches_has_more_than_a_dozen_modules() -> None:
    folders = [PROJECT / "tests" / name for name in ("support", "bench")]
    modules = Counter(path.parent for folder in folders for path in folder.rglob("*.py") if path.name != "__init__.py")
    assert {relative_name(folder): count for folder, count in modules.items() if count > 12} == {}


def test_no_folder_of_code_has_more_than_a_dozen_modules() -> None:
    modules = Counter(path.parent for path in python_files() if path.name != "__init__.py" and _is_code(path))
    assert {relative_name(folder): count for folder, count in modules.items() if count > 12} == {}


def test_no_public_class_name_has_two_meanings() -> None:
    modules_by_name: dict[str, list[str]] = {}
    for path in filter(_is_code, python_files()):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                modules_by_name.setdefault(node.name, []).append(relative_name(path))
    assert {name: modules for name, modules in modules_by_name.items() if len(modules) > 1} == {}


def _is_code(path: Path) -> bool:
    return path.relative_to(PROJECT).parts[0] in {"cli", "deploy", "services", "shared", "simulator"}


def test_the_makefile_is_short_and_every_target_described() -> None:
    targets = re.findall(r"^([a-z]+):(.*)$", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert [name for name, rest in targets if "##" not in rest and name != "help"] == []
    assert len(targets) <= 16
