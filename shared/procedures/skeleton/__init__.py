"""What `jiesu procedure new` starts from: a small procedure that passes every check."""
