"""The models that the service serves, and their files."""
