"""Lists of cases (台帐) as a regulation asks for them: which cases, as they were at an instant, and their rows."""
