"""Sign-in of the desk: OpenID Connect, local accounts of the demo, sessions."""
