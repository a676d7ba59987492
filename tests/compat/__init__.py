"""The Certbots that people have: what each is made of, and the table of what they did.

``make compat`` runs the end-to-end tests with each, ``make compat-ci`` those of the main job; see
``noxfile.py``. A file here is one of them: requirements for pip, or packages for apt.
"""
