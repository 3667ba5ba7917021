"""Links between cases: which case a link may name, and how a duplicate follows its lead."""
