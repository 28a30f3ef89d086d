"""Safe Auto-Updater: up to date without ever leaving a service broken."""
