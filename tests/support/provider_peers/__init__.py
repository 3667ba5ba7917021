"""Peers of the kinds of providers: one file each, and one line in `provider_peers.PEER_KINDS`."""
