"""Pages to look things up: regulations, the organisation, the deadline calculator, and the papers of a case."""
