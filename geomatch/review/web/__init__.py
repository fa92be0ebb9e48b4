"""The desk as a page of this machine."""
