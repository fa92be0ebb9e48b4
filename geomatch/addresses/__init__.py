"""Phase 2: from a written address to a place, with how sure it is."""
