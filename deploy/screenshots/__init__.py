"""Takes the pictures of the desk for the documentation from a running demo system."""
