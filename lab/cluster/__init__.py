"""A Kubernetes of one node in the lab's network namespace: the real parts, and nothing else."""
