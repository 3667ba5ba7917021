"""The programs of the guide are the files that the end-to-end test runs."""

import re

from tests.support.repository import PROJECT

EXAMPLES = PROJECT / "client" / "examples"


def test_every_program_of_the_guide_is_the_file_that_it_names() -> None:
    guide = (PROJECT / "docs/how-to/client.md").read_text(encoding="utf-8")
    shown = dict(re.findall(r"`client/examples/([\w/.]+)`:\n\n```\w+\n(.*?)```", guide, re.DOTALL))
    programs = [*EXAMPLES.glob("*.py"), *EXAMPLES.glob("javascript/department.mjs")]
    assert shown == {str(path.relative_to(EXAMPLES)): path.read_text(encoding="utf-8") for path in programs}
    assert all(len(text.splitlines()) <= 45 for text in shown.values())
