"""``--jprs-check``: the user's own command line rehearsed, without a certificate being issued.

JPRS has no staging server, so ``--dry-run`` is refused; this is what there is instead. The CA is
asked for its directory and for nothing else, and whatever is changed for a moment, the web server's
configuration with a challenge in it, is put back.

``rehearsal`` is the order of the checks; each of the others checks one side of the matter and
writes what it finds into a ``Report``.
"""
