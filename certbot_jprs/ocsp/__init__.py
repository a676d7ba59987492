"""What JPRS's OCSP responder says about a certificate, and whether that is true (RFC 6960).

``questions`` says what is asked, ``certificates`` reads it from files; ``evaluation`` and
``signatures`` judge an answer and are pure: no socket, no clock; ``exchange``, ``session`` and
``responder`` fetch it within bounds, ``asking`` asks about many side by side.

It may import the internals and the ground. What follows from an answer never enters: that is for
the rooms above.
"""
