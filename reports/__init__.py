"""What should people see? Pages for the analyst and the committee."""
