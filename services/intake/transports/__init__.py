"""What brings submissions: each transport is a folder."""
