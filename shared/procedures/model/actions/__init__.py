"""The rules of a procedure for actions."""
