"""The numbers of open cases that departments lead."""
