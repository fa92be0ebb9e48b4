"""The reading side of the reference store."""
