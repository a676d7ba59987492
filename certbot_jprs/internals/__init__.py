"""The cellar: the only room that touches what Certbot does not promise.

``parser`` reaches the command line before Certbot acts on it, ``interception`` the steps that move
a lineage's links or run its hooks, ``delegates`` and ``web`` Certbot's own plugins, and
``delegation`` says which of them work for a configuration.

It may import the ground. Every use of a private name is guarded, and stands beside the reason for
it, the Certbot versions that it was tested with, and what happens where the name is missing.
No decision is ever taken here: what is reached is handed to whoever asked for it.
"""
