"""What if: a procedure with other numbers, tried on recorded cases; it changes no case and sends nothing."""
