"""The story: inventory, detection, health, journal, executor, cycle. Knows no platform."""
