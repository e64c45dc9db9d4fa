"""Whom do we reach today, and why? Batch scoring, reasons, the queue and the sheets."""
