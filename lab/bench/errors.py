"""The bench's one error."""


class BenchError(Exception):
    """A side did not do what is to be measured, so there is no figure."""
