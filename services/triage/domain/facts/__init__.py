"""Facts that the words of a complaint show, with their values and the words."""
