"""Tests that need no root, no network beyond loopback, and seconds."""
