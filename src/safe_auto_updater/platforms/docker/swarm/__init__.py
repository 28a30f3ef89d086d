"""Swarm services: updated by the engine's own rolling update, whose verdict is awaited."""
