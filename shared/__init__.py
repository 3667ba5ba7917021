"""What the services share: contracts, procedures, runtime, command line."""
