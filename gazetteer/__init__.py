"""Reference data: official files in, one versioned and partitioned reference store out."""
