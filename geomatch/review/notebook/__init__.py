"""The desk and its maps inside a notebook."""
