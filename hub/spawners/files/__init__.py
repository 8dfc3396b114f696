"""Reading a workspace's files, whatever they are on: they are hostile, and may change while they are read."""
