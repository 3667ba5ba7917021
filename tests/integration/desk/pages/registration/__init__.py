"""Taking a complaint at the desk."""
