"""Health checks from outside the container: over HTTP and TCP."""
