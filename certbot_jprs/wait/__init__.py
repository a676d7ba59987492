"""The wait for a verified ``good``: schedule and deadline, what is shown meanwhile, and its end.

``gate`` is the wait, ``schedule`` says whom to ask about when, ``progress`` shows it,
``interrupts`` ends it, ``verdict`` says what follows.

It may import the OCSP room and those below it. Lineages, records and web servers never enter:
what waits are certificates with names.
"""
