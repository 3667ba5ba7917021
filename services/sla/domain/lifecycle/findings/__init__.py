"""What was found, imposed, paid, agreed, published and talked over on a case: its state, and the rules for recording it."""
