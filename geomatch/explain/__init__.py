"""One bulletin's story, and what spoke for its answer."""
