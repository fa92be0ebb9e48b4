"""Phase 1: employer names, and how similar two names are."""
