"""Prints forms: chooses a form and its version, and renders it as HTML, PDF or DOCX."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Literal

from shared.procedures.forms.case_record import EventFields
from shared.procedures.forms.field_text import FormTexts
from shared.procedures.forms.filled_form import FilledForm
from shared.procedures.forms.filling import fill_form
from shared.procedures.forms.versions import FormVersion, form_versions, is_opened
from shared.procedures.model.form_layout.layout import FormEntry
from shared.procedures.model.procedure import Procedure

FormFormat = Literal["html", "pdf", "docx"]


class FormError(ValueError):
    """A form that cannot be printed; the text names field, rule and remedy."""


@dataclass(frozen=True, slots=True)
class _Renderer:
    module: str
    function: str
    media_type: str
    needs: tuple[str, ...] = ()
    """Packages of the extra `forms`, which services run without."""


_RENDERERS: dict[FormFormat, _Renderer] = {
    "html": _Renderer("html_form", "render_form_html", "text/html"),
    "pdf": _Renderer("pdf_form", "render_form_pdf", "application/pdf", ("fpdf", "noto_cjk_sans_otc")),
    "docx": _Renderer(
        "docx_form", "render_form_docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", ("docx",)
    ),
}
FORMATS: tuple[FormFormat, ...] = tuple(_RENDERERS)


def media_type(form_format: FormFormat) -> str:
    """The media type of a format."""
    return _RENDERERS[form_format].media_type


def is_available(form_format: FormFormat) -> bool:
    """Whether the packages that the format needs are installed."""
    return all(find_spec(name) is not None for name in _RENDERERS[form_format].needs)


def render_form(form: FilledForm, form_format: FormFormat) -> bytes:
    """The printed form; raises `FormError` if the format's packages are not installed."""
    require_format(form_format)
    renderer = _RENDERERS[form_format]
    rendered: str | bytes = getattr(import_module(f"shared.procedures.forms.{renderer.module}"), renderer.function)(form)
    return rendered.encode() if isinstance(rendered, str) else rendered


def require_format(form_format: FormFormat) -> None:
    """Raise `FormError` if the format's packages are not installed."""
    if not is_available(form_format):
        raise FormError(f"{form_format}: needs packages that are not installed; install the extra: pip install 'jiesu[forms]'")


def find_form(procedure: Procedure, form_id: str, per: str = "case") -> FormEntry:
    """A form of a case or of a period; raises `FormError`."""
    ids = [form.id for form in procedure.forms if form.per == per]
    form = next((form for form in procedure.forms if form.id == form_id and form.per == per), None)
    if form is None:
        raise FormError(f"form: must be one of {', '.join(ids) or f'none: the procedure has no form per {per}'}")
    return form


def print_case_form(
    texts: FormTexts, form_id: str, events: Sequence[EventFields], version: int | None = None, shown: Sequence[EventFields] | None = None
) -> tuple[FilledForm, list[FormVersion]]:
    """A form of a case in its present state or a signed version, with its versions; raises `FormError`.

    `shown` are the events as the reader may see them: they fill the form, while the hashes cover the whole events.
    """
    form = find_form(texts.procedure, form_id)
    if not is_opened(form, events):
        raise FormError(f"form: {form_id} opens with {form.opens}, which has not happened; print it then")
    versions = form_versions(texts.procedure, form, events)
    if version is not None and not 1 <= version <= len(versions):
        raise FormError(f"version: must be from 1 to {len(versions)}" if versions else "version: nobody has signed the form; leave it out")
    until = events[-1]["sequence"] if version is None else versions[version - 1].sequence
    printed = [event for event in shown or events if event["sequence"] <= until]
    return fill_form(form, printed, texts, versions if version is None else versions[:version]), versions
