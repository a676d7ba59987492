"""JPRS's rules, and what the one flag implies.

``policy`` holds the rules, ``one_flag`` applies them to a command line, with ``existing`` for
lineages that are there already and ``registration`` and ``eab`` for the account; ``selection``
applies them to a configuration that Certbot hands over; ``decision`` is what came of it.

It may import the rooms below it. Nothing is ever sent to the CA from here, and no certificate is
put into service: a command that breaks a rule ends before that.
"""
