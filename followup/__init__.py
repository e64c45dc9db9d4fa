"""What was done? Filled sheets read back and the record of contacts."""
