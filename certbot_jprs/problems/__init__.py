"""JPRS's errors, and what they mean to its customers.

``table`` lists them, ``matching`` finds one by an answer's words, ``challenges`` words failed
validations, ``watch`` sees Certbot's log while a command runs.

It may import the rules and the rooms below them. No error is ever handled here, only explained.
"""
