"""What processes tell operators, and each other, about themselves."""
