"""Finds the layout of HTML mails: the organisation's own, else the installed one."""

from pathlib import Path

from services.notify.domain.mail.layout import LAYOUT_NAME, MailLayout

_INSTALLED_FOLDER = Path(__file__).parents[2] / "templates"


def load_mail_layout(custom_folder: Path | None) -> MailLayout:
    """The layout of the custom folder if it has one; raises `ValueError` for one that cannot be used."""
    folders = [*([custom_folder] if custom_folder else []), _INSTALLED_FOLDER]
    path = next(path for folder in folders if (path := folder / f"{LAYOUT_NAME}.j2").exists())
    return MailLayout(path.read_text(encoding="utf-8"))
