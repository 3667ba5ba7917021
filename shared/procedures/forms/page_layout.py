"""Common parts of the printed formats: the fixed words of a form, and the fields by rows of the page."""

from shared.procedures.forms.filled_form import FilledField, FilledForm, FilledSignature
from shared.procedures.model.procedure import LanguageCode

WORDS = {
    "zh": {
        "number": "表单编号",
        "code": "表号",
        "copies": "分送",
        "name": "签名",
        "at": "时间",
        "photo": "照片",
        "hash": "签署版校验码（SHA-256）",
    },
    "en": {
        "number": "Form number",
        "code": "Form",
        "copies": "Copies",
        "name": "Signature",
        "at": "Time",
        "photo": "Photograph",
        "hash": "Hash of the signed version (SHA-256)",
    },
}
"""The fixed words of a printed form, by language."""


def field_rows(fields: tuple[FilledField, ...]) -> list[tuple[FilledField, ...]]:
    """The fields by rows of the printed table: two narrow ones side by side, a wide one alone."""
    rows: list[tuple[FilledField, ...]] = []
    for field in fields:
        if rows and not field.wide and len(rows[-1]) == 1 and not rows[-1][0].wide:
            rows[-1] = (*rows[-1], field)
        else:
            rows.append((field,))
    return rows


def head_line(form: FilledForm) -> str:
    """Regulation and form code."""
    code = f" · {WORDS[form.language]['code']} {form.code}" if form.code else ""
    return f"{form.regulation}{code}"


def number_line(form: FilledForm) -> str:
    """The form's number, with a line to write on where it has none."""
    return f"{WORDS[form.language]['number']} {form.number or '________'}"


def foot_lines(form: FilledForm) -> list[str]:
    """The remarks, for whom the copies are, and the state with the hash of a signed version."""
    words = WORDS[form.language]
    lines = [*form.notes]
    if form.copies:
        colon, between = ("：", "；") if form.language == "zh" else (": ", "; ")
        lines.append(f"{words['copies']}{colon}{between.join(form.copies)}")
    state = f"{form.state} · {words['hash']} {form.hash}" if form.hash else form.state
    return [*lines, state] if state else lines


def signature_label(signature: FilledSignature, language: LanguageCode) -> str:
    """The label of a signature block, with the act that signed it."""
    if not signature.act:
        return signature.label
    return f"{signature.label}（{signature.act}）" if language == "zh" else f"{signature.label} ({signature.act})"


def field_text(field: FilledField, photo_word: str) -> str:
    """A field as plain text: with ticked and empty boxes, or the references of photographs."""
    if field.boxes:
        return "  ".join(f"{'■' if box.ticked else '□'} {box.label}" for box in field.boxes)
    if field.photos:
        return "\n".join(f"{photo_word} {index}: {photo}" for index, photo in enumerate(field.photos, 1))
    return field.text
