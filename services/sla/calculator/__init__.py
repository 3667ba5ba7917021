"""Calculates deadlines without a case: of a duration, or of a procedure's clock."""
