"""Messages of a case, with the words that their recipients read."""
