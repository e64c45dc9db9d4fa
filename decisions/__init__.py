"""Given scores, what would we do? Pure functions without I/O."""
