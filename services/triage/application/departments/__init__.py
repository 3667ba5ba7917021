"""How many cases departments lead."""
