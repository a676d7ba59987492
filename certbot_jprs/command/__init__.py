"""The ``certbot-jprs`` command: the wait and the overview for any server, and for a fleet.

``main`` reads the command line; each subcommand is a module with ``run``, which returns the exit
status. Messages go to standard error, results to standard output.
"""
