"""How long it takes after a fault until as much is accepted, decided, published and sent in a second as before."""
