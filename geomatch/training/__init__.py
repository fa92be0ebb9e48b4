"""Learning from coded bulletins and from clerks' verdicts."""
