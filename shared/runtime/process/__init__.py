"""What every process needs: settings, health, logging, metrics, supervised loops."""
