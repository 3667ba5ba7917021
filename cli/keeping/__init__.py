"""What the commands do that erase people and delete what is past its retention, across all services."""
