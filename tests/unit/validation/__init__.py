"""Unit tests of the room ``certbot_jprs/validation``."""
