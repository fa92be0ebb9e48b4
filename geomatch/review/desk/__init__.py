"""The clerk's work: cards, queue, search, verdicts."""
