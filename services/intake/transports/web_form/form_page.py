"""Renders the web form: plain HTML that works without scripts, from 320 pixels up, in Chinese and English."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from services.intake.channels.web_form import FormLine
from services.intake.transports.web_form.form_texts import TEXTS
from shared.contracts.attachments import parse_reference
from shared.procedures.model.sources.web_form import WebForm, WebFormLanguage
from shared.runtime.http.look.stylesheet import public_stylesheet

TRAP = "website"
"""A field that people do not see and programs fill in."""
_FOLDER = Path(__file__).parent / "templates"
_STYLE = public_stylesheet((_FOLDER / "style.css").read_text(encoding="utf-8"))
CONTENT_SECURITY_POLICY = _STYLE.content_security_policy
_ENVIRONMENT = Environment(
    loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_AUTOCOMPLETE = {"name": "name", "phone": "tel", "email": "email", "address": "street-address", "enterprise": "organization"}
_INPUT_TYPES = {"phone": "tel", "email": "email"}
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class TypedForm:
    """The contents of a form that is shown again: values, the references of files that were received, and the faults.

    `sent_files` counts the files that were sent, with those of earlier tries.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    kept: Sequence[str] = ()
    faults: Mapping[str, str] = field(default_factory=dict)
    file_faults: Sequence[tuple[str, str]] = ()
    form_fault: str = ""
    sent_files: int = 0


@dataclass(frozen=True, slots=True)
class FormDescription:
    """A source's form as the page shows it."""

    source: str
    form: WebForm
    lines: Sequence[FormLine]
    max_files: int
    max_file_bytes: int
    contact_name: str = ""
    contact_phone: str = ""


def render_form_page(description: FormDescription, language: WebFormLanguage, token: str, typed: TypedForm) -> str:
    """The form; `typed` are the contents that were sent before and not accepted."""
    texts = TEXTS[language]
    fields = [_shown_field(line, texts, typed) for line in description.lines]
    files = [{"reference": text, "name": reference.name} for text in typed.kept if (reference := parse_reference(text)) is not None]
    title = getattr(description.form.title, language)
    wrong = bool(typed.faults or typed.file_faults or typed.form_fault)
    hint = texts["attachments_hint"].format(count=description.max_files, size=description.max_file_bytes // _MEGABYTE)
    return _render(
        "form",
        language,
        f"{texts['error_prefix']}{title}" if wrong else title,
        heading=title,
        intro=getattr(description.form.intro, language, ""),
        fields=fields,
        form=description.form,
        anonymous=bool(typed.values.get("anonymous")),
        max_files=description.max_files,
        files_hint=hint,
        kept=files,
        file_faults=[
            {"name": name, "fault": texts["file_faults"][rule].format(sent=typed.sent_files, limit=description.max_files)}
            for name, rule in typed.file_faults
        ],
        form_fault=texts["form_faults"][typed.form_fault] if typed.form_fault else "",
        trap={"name": TRAP, "shown": typed.form_fault == "trap", "value": typed.values.get(TRAP, "")},
        token=token,
    )


def render_done_page(
    description: FormDescription, language: WebFormLanguage, number: str, code: str, follow_url: str, *, again: bool, anonymous: bool
) -> str:
    """The page after a complaint was received: number, code, next steps; `again`: it had been received before."""
    texts = TEXTS[language]
    contact = texts["contact"].format(name=description.contact_name, phone=description.contact_phone) if description.contact_phone else ""
    return _render(
        "done",
        language,
        texts["again_title" if again else "done_title"],
        number=number,
        code=code,
        link=f"{follow_url.rstrip('/')}/{code}?lang={language}" if code and follow_url else "",
        next_steps=getattr(description.form.thanks, language, "") or texts["next_anonymous" if anonymous else "next"],
        contact=contact,
    )


def _shown_field(line: FormLine, texts: Mapping[str, Any], typed: TypedForm) -> dict[str, Any]:
    entry, language = line.field, texts["lang"]
    fault = typed.faults.get(line.name, "")
    hint = getattr(entry.hint, language, "") or ("" if entry.label else texts["hints"].get(line.name, ""))
    choices = [{"value": choice.value, "label": getattr(choice, language)} for choice in entry.choices]
    if line.kind == "yes_no":
        choices = [{"value": "true", "label": texts["yes"]}, {"value": "false", "label": texts["no"]}]
    key = line.name.replace(".", "-")
    described = [f"hint-{key}"] * bool(hint) + [f"fault-{key}"] * bool(fault)
    return {
        "name": line.name,
        "id": f"field-{key}",
        "label": getattr(entry.label, language, "") or texts["labels"][line.name],
        "kind": line.kind,
        "required": line.required,
        "hint": hint,
        "hint_id": f"hint-{key}",
        "fault": texts["faults"][fault] if fault else "",
        "fault_id": f"fault-{key}",
        "described": " ".join(described),
        "value": typed.values.get(line.name, ""),
        "choices": choices,
        "type": _INPUT_TYPES.get(line.name, "text"),
        "autocomplete": _AUTOCOMPLETE.get(line.name, "off"),
        "max_length": line.max_length,
    }


def _render(name: str, language: WebFormLanguage, title: str, **values: Any) -> str:
    return _ENVIRONMENT.get_template(f"{name}.html.j2").render(t=TEXTS[language], title=title, style=Markup(_STYLE.text), **values)  # noqa: S704 - ours
