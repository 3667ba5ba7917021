"""Tables as JSON, CSV and Excel files."""
