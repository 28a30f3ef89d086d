"""Kubernetes: scanning workloads, changing their images, judging their rollouts."""
