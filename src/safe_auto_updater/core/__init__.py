"""Words and questions. Standard library only: no clock, network, SQL, subprocess or logging."""
