"""Takes rights from the process that is to run a person's code, and from all its descendants, for good."""
