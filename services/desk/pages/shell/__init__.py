"""The surroundings of every page: words, static files, switches, fault pages, live changes."""
