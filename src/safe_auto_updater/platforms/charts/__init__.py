"""Where Helm charts come from: classic repositories, OCI registries, the user's own settings."""
