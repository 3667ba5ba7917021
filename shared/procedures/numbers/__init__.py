"""The numbers of a procedure that a person may change for a trial: where they stand, and the procedure with others in their place."""
