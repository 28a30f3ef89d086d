"""From configuration to objects that know each other, one file per edge of the program."""
