"""The processes that keep a world's place: its files as they have to be, its commands, its end.

Rules of this package:

- Standard library only, and nothing of ``tests.lab``: an agent runs before anything of the lab.
- An agent ends when the other end of its socket closes, however that happens, and with it
  everything in its place.
"""
