"""What brings submissions: each transport is a folder, with one line in `registry.TRANSPORTS`."""
