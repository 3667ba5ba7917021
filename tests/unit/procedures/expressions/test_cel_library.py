"""Quirks of the CEL library that the code works around: a test fails here when a new version no longer has one."""

import subprocess
import sys

from shared.procedures.expressions.cel_library import cel


def loaded_by(statement: str, module: str) -> bool:
    code = f"{statement}; import sys; print({module!r} in sys.modules)"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "True"


def test_importing_the_library_loads_its_command_line_which_the_stub_in_cel_library_prevents() -> None:
    assert loaded_by("import cel", "prompt_toolkit")
    assert not loaded_by("import shared.procedures.expressions.cel_library", "prompt_toolkit")


def test_a_registered_function_replaces_no_method_of_the_library_so_that_matches_has_to_be_renamed() -> None:
    context = cel.Context(variables={"text": "ab"}, functions={"matches": lambda _text, _pattern: False, "other": lambda _text: "called"})
    assert cel.compile("text.matches('a')").execute(context) is True
    assert cel.compile("text.other()").execute(context) == "called"
