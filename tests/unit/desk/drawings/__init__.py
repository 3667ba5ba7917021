"""The drawings of the desk."""
