"""Use cases of forms: filled from a case, and the register of numbered blanks."""
