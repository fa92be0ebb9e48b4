"""A written address cut into its parts."""
