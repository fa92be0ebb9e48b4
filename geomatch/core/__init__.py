"""What everything else stands on: errors, options, paths, tables of knowledge, text."""
