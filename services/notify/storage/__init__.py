"""All SQL of notify: one module a table."""
