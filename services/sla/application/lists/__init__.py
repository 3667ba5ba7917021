"""Use cases of lists: read in one snapshot, ordered in files, and written as JSON, CSV and Excel files."""
