"""The evidence archive of a case: written for the command line and for download."""
