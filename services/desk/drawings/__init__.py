"""Pictures as SVG text, each with a table of the same data; pure functions without scripts and inline styles."""
