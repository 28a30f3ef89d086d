"""Containers on Docker engines: scan, update, go back."""
