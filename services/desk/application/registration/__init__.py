"""Taking a complaint: the sources for which a person enters it, and the earlier cases of the caller."""
