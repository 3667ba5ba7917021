"""Reads procedures and organisations from files; every error names file, line, clause and remedy."""
