"""The pictures of the desk for the documentation."""
