"""Generates the reference pages of forms: each form of each installed procedure, filled for a sample case, in both languages."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from shared.contracts.instants import read_instant
from shared.procedures.forms.field_text import FormTexts
from shared.procedures.forms.filled_form import FilledForm
from shared.procedures.forms.html_form import render_form_html
from shared.procedures.forms.period_filling import FormPeriod, fill_period_form
from shared.procedures.forms.printing import print_case_form
from shared.procedures.forms.versions import form_versions
from shared.procedures.loading.loader import installed_packs, load_pack
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.model.form_layout.layout import FormEntry
from shared.procedures.model.procedure import LanguageCode, Procedure
from shared.procedures.organisation import Organisation
from simulator.run import organisation_calendars, scenario_organisation
from simulator.scenario import read_scenario
from simulator.simulation import Simulation

FOLDER = "docs/reference/forms"
SAMPLES_FOLDER = Path(__file__).with_name("form_samples")
_LANGUAGES: tuple[LanguageCode, LanguageCode] = ("zh", "en")


def form_pages() -> dict[str, str]:
    """Path in the checkout → text: an index, and a page for each form and language."""
    pages = {f"{FOLDER}/index.md": _index_page()}
    for procedure in _procedures_with_forms():
        for form in procedure.forms:
            for language in _LANGUAGES:
                pages[f"{FOLDER}/{_page_name(procedure, form, language)}"] = render_form_html(sample_form(procedure, form, language))
    return pages


def sample_form(procedure: Procedure, form: FormEntry, language: LanguageCode) -> FilledForm:
    """A form filled for the procedure's sample: that of the case that signs it most often, or of the sample's month or year."""
    organisation, cases = sample_cases(procedure.id)
    texts = FormTexts(procedure, organisation, language)
    if form.per == "case":
        return print_case_form(texts, form.id, max(cases, key=lambda events: len(form_versions(procedure, form, events))))[0]
    first = read_instant(cases[0][0]["complaint"]["received_at"])
    if not isinstance(first, datetime):
        raise TypeError("a sample's complaint has an instant of receipt")
    day = first.astimezone(texts.zone)
    return fill_period_form(form, FormPeriod(day.year, day.month if form.per == "month" else None), cases, texts)


@cache
def sample_cases(procedure_id: str) -> tuple[Organisation, Sequence[Sequence[Mapping[str, Any]]]]:
    """The organisation of a procedure's sample, and the events of its cases in the order of their registration."""
    path = SAMPLES_FOLDER / f"{procedure_id}.yaml"
    scenario = read_scenario(path)
    organisation = scenario_organisation(scenario, path.parent)
    bound = bind_parameters(load_pack(procedure_id).procedure, scenario.parameters)
    events_by_case: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for event in Simulation(bound, organisation, organisation_calendars(organisation)).run(scenario):
        events_by_case[event["case"]].append(event)
    return organisation, list(events_by_case.values())


def _procedures_with_forms() -> list[Procedure]:
    procedures = [load_pack(pack_id).procedure for pack_id in installed_packs()]
    return [procedure for procedure in procedures if procedure.forms]


def _page_name(procedure: Procedure, form: FormEntry, language: LanguageCode) -> str:
    return f"{procedure.id}/{form.id}.{language}.html"


def _index_page() -> str:
    lines = [
        "# Forms",
        "<!-- Written by `make docs`; change the pack, the sample in `cli/reference/form_samples` or the code instead. -->",
        "Every form of the installed procedures, filled for a sample case as `jiesu form CASE FORM --html` prints it.",
    ]
    for procedure in _procedures_with_forms():
        rows = ["| form | clause | about | 中文 | English |", "| --- | --- | --- | --- | --- |"]
        for form in procedure.forms:
            clauses = [form.clause] if isinstance(form.clause, str) else form.clause or []
            links = " | ".join(f"[{title}]({_page_name(procedure, form, language)})" for title, language in _titles(form))
            rows.append(f"| `{form.id}` | {', '.join(clauses)} | {form.per} | {links} |")
        lines += [f"## {procedure.id}", f"{procedure.title.zh} · {procedure.title.en}", "\n".join(rows)]
    return "\n\n".join(lines) + "\n"


def _titles(form: FormEntry) -> tuple[tuple[str, LanguageCode], tuple[str, LanguageCode]]:
    return (form.zh, "zh"), (form.en, "en")
