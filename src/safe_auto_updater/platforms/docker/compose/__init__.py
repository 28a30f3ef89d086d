"""What Docker Compose knows of a container: labels, files, hashes, and what it copied in."""
