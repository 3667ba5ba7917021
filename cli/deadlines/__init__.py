"""Due instants for the command line: reads arguments and files, computes, formats."""
