"""Carry events to people."""
