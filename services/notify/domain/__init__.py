"""Pure decisions: who, what, when, and when to give up."""
