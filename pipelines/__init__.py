"""In what order? Settings, flows and the command line."""
