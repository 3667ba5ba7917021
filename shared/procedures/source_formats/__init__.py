"""How the fields of a complaint are found in files and in the calls of other systems, as data."""
