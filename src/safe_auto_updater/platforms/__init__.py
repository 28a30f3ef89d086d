"""One folder per thing driven; none imports another."""
