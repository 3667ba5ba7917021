"""Groups of cases: who is one person, and which cases a count entry groups."""
