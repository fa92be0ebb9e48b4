"""Which commune a written place is."""
