"""An explanation page as text, Markdown and HTML."""
