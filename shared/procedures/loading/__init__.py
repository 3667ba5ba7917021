"""Reads procedures and organisations from YAML files."""
