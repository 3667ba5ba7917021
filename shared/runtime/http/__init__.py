"""HTTP: server, problem documents, bearer authentication, request bodies, rate limit."""
