"""Templates that procedures and the engine can ask for: all exist, and a missing one is named at the start."""

from pathlib import Path

import pytest

from services.notify.bootstrap import messaging_packs, planning_context, template_sources
from services.notify.config import NotifySettings
from services.notify.domain.required_templates import required_templates
from shared.procedures.organisation import Organisation
from tests.unit.sla.timeline import small_procedure

NAMING = small_procedure("""
clocks:
- {id: c, clause: "1", starts: registered, stops: handled, owner: boss,
   due: [{within: 1d, do: [breach, {notify: boss, by: [sms], template: own_text}]}]}
reactions: [{id: r, "on": amended, clause: "2", do: [{remind: boss, template: own_mail}]}]
""")


def test_every_template_that_an_installed_procedure_or_the_engine_asks_for_is_installed(tmp_path: Path) -> None:
    procedures = [pack.procedure for pack in messaging_packs(Organisation(id="demo"), tmp_path)]
    assert {"hunan-property", "telecom-urgent"} <= {procedure.id for procedure in procedures}
    required = required_templates(procedures)
    assert {"due.zh.sms", "clock_breached.en.email", "escalated.zh.email"} <= set(required)
    assert set(required) <= template_sources(None).keys()


def test_templates_that_a_procedure_names_are_required_in_each_language_for_the_channels_of_the_effect() -> None:
    added = set(required_templates([NAMING])) - set(required_templates([]))
    assert added == {"own_text.zh.sms", "own_text.en.sms", "own_mail.zh.email", "own_mail.en.email"}


def test_start_names_a_missing_template_of_a_procedure_file(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(NAMING.model_dump_json(by_alias=True, exclude_defaults=True), encoding="utf-8")
    organisation = tmp_path / "organisation.yaml"
    organisation.write_text("{id: demo, sources: [{id: s, procedure: own.yaml}]}", encoding="utf-8")
    settings = NotifySettings(organisation=organisation)
    with pytest.raises(ValueError, match=r"own_mail\.en\.email.* are missing"):
        planning_context(settings, frozenset({"email"}))
