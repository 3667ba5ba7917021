"""The files of a new pack for `jiesu procedure new`: a small procedure that passes every check."""
