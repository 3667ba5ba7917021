"""`jiesu notify preview`: an example case without servers, and a recorded case."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.commands.authoring.notify import app

RUNNER = CliRunner()


def preview(*arguments: str) -> str:
    result = RUNNER.invoke(app, ["preview", "example", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_example_shows_the_text_and_the_parts_that_it_costs() -> None:
    text = preview("reminded", "--procedure", "telecom-urgent", "--channel", "sms", "--language", "zh")
    head, _, body = text.partition("\n")
    assert head.startswith("== sms, zh (reminded.zh.sms.j2): ")
    assert head.endswith("units of ucs2")
    assert body.strip().startswith("【接诉】")


def test_own_template_of_an_entry_is_shown_on_each_channel_and_as_html(tmp_path: Path) -> None:
    rule = preview_rule()
    (tmp_path / f"telecom-urgent.{rule}.en.email.j2").write_text("Subject {{ number }}\n\nMatter: x\nDue: y", encoding="utf-8")
    page = tmp_path / "mail.html"
    arguments = [rule, "--procedure", "telecom-urgent", "--templates", str(tmp_path), "--language", "en"]
    text = preview(*arguments, "--channel", "email", "--html", str(page))
    assert f"(telecom-urgent.{rule}.en.email.j2)" in text
    assert "subject: Subject " in text
    assert ">Matter</td>" in page.read_text(encoding="utf-8")
    chat = preview(*arguments, "--channel", "chat")
    assert chat.startswith(f"== chat, en (telecom-urgent.{rule}.en.email.j2): "), "a group reads what the mail says"
    assert preview(*arguments, "--channel", "voice").startswith("== voice, en (")


def preview_rule() -> str:
    """An entry of the pack that sends a message."""
    result = RUNNER.invoke(app, ["preview", "example", "no_such_entry", "--procedure", "telecom-urgent"])
    assert result.exit_code == 2
    assert "template: no_such_entry is in no message of this case; it has " in result.output
    return result.output.partition("it has ")[2].split(",")[0].strip()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["reminded", "--channel", "fax"], "channel: fax does not exist; use one of sms, email, chat, voice"),
        (["reminded", "--language", "de"], "language: de has no templates; use one of zh, en"),
        (["reminded", "--procedure", "no-such-pack"], "no-such-pack"),
    ],
)
def test_argument_that_cannot_be_used_is_named(arguments: list[str], message: str) -> None:
    result = RUNNER.invoke(app, ["preview", "example", *arguments])
    assert result.exit_code == 2
    assert message in result.output
