"""The demo: a month of self-written complaints, the people who handle them, and the reckoning at the end."""
