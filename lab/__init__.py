"""The lab: a Docker engine and a registry of this clone's own, for tests, benches and demos.

It lives in a network namespace of its own, so the machine's Docker, ports and firewall
rules are never touched. ``python -m lab up|down|status|run|restart-engine`` drives it.
"""
