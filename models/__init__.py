"""What will happen? Splits, baselines, training, calibration, evaluation and the registry."""
