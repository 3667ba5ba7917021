"""Imports of CSV and Excel files, by HTTP, from a folder and from the command line."""
