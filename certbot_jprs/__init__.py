"""Certificates from JPRS with one Certbot flag."""
