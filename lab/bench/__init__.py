"""What the program costs, each figure beside its own limit, measured in one run.

The limit is what a careful person reaches by hand with the same engine and the same image.
Both sides are measured in turns, so that whatever else the machine does falls on both.
"""
