"""Tables as arrays, groups of different sizes, compiled loops."""
