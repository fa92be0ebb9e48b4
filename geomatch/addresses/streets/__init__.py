"""Where in its commune a written street and number are."""
