"""The engine's default rules for actions, which hold in every procedure unless one of its own rules states another."""
