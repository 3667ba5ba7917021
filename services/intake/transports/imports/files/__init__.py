"""Readers and writers of tables in files: encodings, CSV, Excel."""
