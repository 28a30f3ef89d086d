"""The lab's one error."""


class LabError(Exception):
    """The lab cannot do what was asked; the message names the thing, the fact and the remedy."""
