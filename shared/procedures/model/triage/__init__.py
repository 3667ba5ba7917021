"""Model of the entries that triage reads: derived facts, kinds, classes, subjects, routes, counts, duplicates."""
