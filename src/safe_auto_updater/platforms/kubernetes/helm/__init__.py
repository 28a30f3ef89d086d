"""Helm releases on a cluster."""
