"""Watchtower: asked to replace a container, and understood where it is already used."""
