"""Offline maps drawn from the store."""
