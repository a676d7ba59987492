"""The user's commands, in the lab."""
