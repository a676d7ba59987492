"""From saved to in service: how a new version is held, waited for and released.

``lookout`` is told of Certbot's steps, ``keeper`` keeps the version in service linked, ``jobs`` are
held lineages in this run, ``release`` waits for them and ``steps`` puts them into service;
``records`` is what survives a crash, ``leftovers`` what an earlier run left; ``deployment`` waits
right before an installation.

It may import the rules and the rooms below them. No certificate is ever ordered here.
"""
