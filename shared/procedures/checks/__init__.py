"""What can be wrong with a procedure that reads well: one module a kind of mistake, all pure."""
