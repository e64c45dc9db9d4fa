"""What was known about this loan on that day? Arrears, history, labels and the panel."""
