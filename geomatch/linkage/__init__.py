"""From a bulletin to its establishment: blocking, comparison, decision."""
