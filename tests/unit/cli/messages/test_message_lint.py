"""`jiesu notify check`: what it finds in templates, wordings and names, and that each finding names a remedy."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.commands.authoring.notify import app
from cli.messages.message_lint import MessageLimits, lint_organisation_messages, lint_pack_messages
from cli.messages.template_sources_lint import lint_sources
from services.notify.bootstrap import template_sources
from services.notify.domain.message_templates import CHANNELS, MessageTemplates
from shared.procedures.loading.loader import installed_packs, load_pack
from shared.procedures.organisation import ComplaintSource, Department, Organisation, Person

RUNNER = CliRunner()
ASKED_FOR = {"reminded", "hunan-property.call_back"}


def findings(name: str, source: str) -> list[str]:
    return [str(each) for each in lint_sources({name: source, "_items.zh": "x"}, [name], ASKED_FOR, CHANNELS)]


def test_installed_templates_have_no_finding() -> None:
    sources = template_sources(None)
    asked_for = {name.rsplit(".", 2)[0] for name in sources if not name.startswith("_")}
    assert list(lint_sources(sources, sources, asked_for, CHANNELS)) == []


@pytest.mark.parametrize("name", installed_packs())
def test_installed_packs_have_no_finding(name: str) -> None:
    assert [str(finding) for finding in lint_pack_messages(load_pack(name))] == []


@pytest.mark.parametrize(
    ("name", "source", "expected"),
    [
        ("reminded.zh.sms", "{% if x %}", "error: reminded.zh.sms.j2, line 1: is not valid Jinja: "),
        ("reminded.zh.sms", "a\n{{ numbr }}", "error: reminded.zh.sms.j2, line 2: no message has the value numbr; write number"),
        ("reminded.zh.sms", "{{ colour }}", "error: reminded.zh.sms.j2, line 1: no message has the value colour; test it"),
        ("reminded.zh.sms", "{{ number | shorten }}", "error: reminded.zh.sms.j2, line 1: is not valid Jinja: No filter named 'shorten'"),
        ("reminded.zh.sms", "{% include '_itms.zh' %}", "error: reminded.zh.sms.j2: includes _itms.zh, which is no template"),
        ("remindd.zh.sms", "{{ number }}", "error: remindd.zh.sms.j2: no request asks for remindd, so that it is never sent; rename it"),
        ("reminded.zh.fax", "{{ number }}", "error: reminded.zh.fax.j2: no message has a template of this name; write <name>.<zh or en>.<"),
        ("reminded.de.sms", "{{ number }}", "error: reminded.de.sms.j2: no message has a template of this name; write <name>.<zh or en>.<"),
        ("reminded.zh.sms", "{{ number }}", "warning: reminded.zh.sms.j2: the translation reminded.en.sms.j2 is missing"),
        ("reminded.zh.email", "\n{{ number }}", "error: reminded.zh.email.j2: the first line is the subject and is empty"),
        ("reminded.zh.email", "s\n{{ number }}", "warning: reminded.zh.email.j2: the first line is the subject; leave"),
    ],
)
def test_template_is_refused_with_place_rule_and_remedy(name: str, source: str, expected: str) -> None:
    assert [line for line in findings(name, source) if line.startswith(expected)] != []


def test_values_that_a_template_tests_or_gives_a_default_are_no_finding() -> None:
    source = "{% if colour is defined %}{{ colour }}{% endif %}{{ rooms | default(1) }}{% include '_items.zh' %}{{ number }}"
    assert [line for line in findings("reminded.zh.sms", source) if line.startswith("error")] == []


def test_text_message_of_more_parts_and_long_subject_are_found() -> None:
    pack = load_pack("hunan-property")
    sources = template_sources(None) | {"hunan-property.refused_told.zh.sms": "长" * 202, "notice.en.email": f"{'long ' * 16}\n\nx"}
    found = [str(finding) for finding in lint_pack_messages(pack, MessageTemplates(sources))]
    assert (
        "warning: hunan-property/refused_told refused (zh, sms): takes 4 parts (ucs2), at most 3; "
        "shorten hunan-property.refused_told.zh.sms.j2 or the wording; each part is charged"
    ) in found
    assert any("has a subject of 79 characters, over 78; shorten the first line of notice.en.email.j2" in line for line in found)
    relaxed = lint_pack_messages(pack, MessageTemplates(sources), limits=MessageLimits(4))
    assert [finding.message for finding in relaxed if "parts" in finding.message] == []


def test_template_that_needs_a_value_no_message_has_cannot_be_rendered() -> None:
    sources = template_sources(None) | {"reminded.zh.email": "s\n\n{{ due_at | instant }}{{ items[7].title }}"}
    found = {finding.message for finding in lint_pack_messages(load_pack("hunan-property"), MessageTemplates(sources))}
    assert any(message.startswith("cannot be rendered (template reminded.zh.email: ") for message in found)


def test_department_without_the_title_of_a_readers_language_is_found(tmp_path: Path) -> None:
    organisation = Organisation(
        id="o",
        departments=[Department(id="north", zh="北区"), Department(id="south", zh="南区", en="South")],
        people=[Person(id="wu", language="en-GB"), Person(id="li")],
        sources=[ComplaintSource(id="s", procedure="hunan-property", contact_name="客服", contact_phone="400")],
    )
    found = [str(finding) for finding in lint_organisation_messages(organisation, tmp_path, None)]
    assert "warning: department north: has no en: messages show the title of the other language; add it" in found
    assert [line for line in found if "south" in line or line.startswith("error")] == []


def test_check_fails_with_errors_and_passes_with_warnings(tmp_path: Path) -> None:
    (tmp_path / "hunan-property.call_back.zh.sms.j2").write_text("投诉单 {{ number }} 请回访。", encoding="utf-8")
    warned = RUNNER.invoke(app, ["check", "--templates", str(tmp_path)])
    assert (warned.exit_code, warned.stdout.splitlines()[-1]) == (0, "0 errors, 1 warnings")
    (tmp_path / "call_bak.zh.sms.j2").write_text("{{ numbr }}", encoding="utf-8")
    failed = RUNNER.invoke(app, ["check", "--templates", str(tmp_path)])
    assert failed.exit_code == 1
    assert "call_bak.zh.sms.j2, line 1: no message has the value numbr; write number" in failed.stdout
    (tmp_path / "_layout.html.j2").write_text('<img src="https://example.org/x.png">', encoding="utf-8")
    assert "error: template _layout.html: takes no remote content" in RUNNER.invoke(app, ["check", "--templates", str(tmp_path)]).stdout


def test_check_names_an_unset_secret_and_an_unknown_kind_of_the_providers_file(tmp_path: Path) -> None:
    file = tmp_path / "providers.yaml"
    text = "providers:\n  - {id: gate, channel: sms, kind: http_sms, settings: {url: 'http://127.0.0.1', token_env: NO_SUCH_TOKEN}}\n"
    file.write_text(text, encoding="utf-8")
    organisation = tmp_path / "organisation.yaml"
    organisation.write_text("id: o\n", encoding="utf-8")
    warned = RUNNER.invoke(app, ["check", "--providers", str(file), "--organisation", str(organisation)])
    assert (warned.exit_code, "variable NO_SUCH_TOKEN is not set here" in warned.stdout) == (0, True)
    file.write_text(text.replace("http_sms", "carrier_pigeon"), encoding="utf-8")
    failed = RUNNER.invoke(app, ["check", "--providers", str(file), "--organisation", str(organisation)])
    assert (failed.exit_code, "there is no kind carrier_pigeon" in failed.stdout) == (1, True)


def test_check_finds_a_group_without_a_robot(tmp_path: Path) -> None:
    organisation, file = tmp_path / "organisation.yaml", tmp_path / "providers.yaml"
    organisation.write_text(
        "id: o\ndepartments: [{id: a, zh: 甲, chat: ops}, {id: b, zh: 乙, chat: board}]\npeople: [{id: li, chat: own}]\n", encoding="utf-8"
    )
    file.write_text("providers: [{id: ops, channel: chat, kind: wecom, settings: {url_env: PATH}}]\n", encoding="utf-8")
    result = RUNNER.invoke(app, ["check", "--providers", str(file), "--organisation", str(organisation)])
    found = [line.partition(": chat: ")[0] for line in result.stdout.splitlines() if "has no robot" in line]
    assert (result.exit_code, found) == (0, ["warning: department b", "warning: person li"])
