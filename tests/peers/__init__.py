"""Other ACME clients against the lab's JPRS: from when each serves a new certificate.

``make peers`` unpacks the clients that Debian packages into ``.venv-peers``, where they disturb
nobody's own, lets each of them get a certificate, and writes what visitors were served to
``docs/pictures/peers.json``, and a picture of it.
"""
