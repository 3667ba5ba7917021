"""The demo: a month of scripted complaints, the staff who handle them, and the figures at the end."""
