"""http-01 through a web server's plugin: as soon as the files are there, and with few reloads.

``http01`` has a delegate put up and take away what the CA fetches, ``fetching`` sees when it is
there, ``reloads`` knows which reload is still owed.

It may import the machine and the rooms below it. No certificate and no CA ever enters: what is
validated, and what follows from that, is for others.
"""
