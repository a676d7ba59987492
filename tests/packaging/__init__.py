"""What is published, tested as its users meet it: installed, outside this checkout.

``make packaging`` runs these tests. They need root, and a mirror of Debian and of PyPI.
"""
