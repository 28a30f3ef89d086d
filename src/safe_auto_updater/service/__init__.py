"""The service: cycle after cycle, with nobody there."""
