"""What messages about a case say: the values that sla states, before notify puts them into words."""
