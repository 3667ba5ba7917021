"""The pages of one case: what happened, what may be done, and the form of each action."""
