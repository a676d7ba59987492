"""Tests of certbot-jprs."""
