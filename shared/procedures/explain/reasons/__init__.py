"""The reasons that services give, in the reader's language."""
