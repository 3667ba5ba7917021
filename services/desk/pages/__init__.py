"""The pages of the desk and what they share."""
