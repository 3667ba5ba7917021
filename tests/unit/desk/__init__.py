"""Pure tests of the desk."""
