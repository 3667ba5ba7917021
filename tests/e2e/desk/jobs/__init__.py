"""The jobs of the people at the desk, each from its page to the sign that it is done."""
