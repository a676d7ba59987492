"""What a visitor sees: Debian's Firefox in the lab, headless, and the certificates that it meets.

``make browser`` installs Firefox and runs the tests; ``python -m tests.browser.screenshots`` makes
the pictures in ``docs/pictures`` and writes beside them what was measured. Firefox runs on the CA's
host, as a visitor who is not on the web server, with a profile of its own and its settings as they
come but for the language; the lab's root is among the CAs that it trusts, as a public CA's is.
"""
