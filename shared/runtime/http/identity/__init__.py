"""Identity: who sent a request, by a static token of the organisation file or an access token of the identity provider."""
