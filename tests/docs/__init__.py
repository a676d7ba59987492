"""Documentation that is executed: each command of the READMEs and of the manual, as written.

A block of language ``console`` holds commands and, below each, what it says::

    # certbot-jprs status
    …
    OK: 1 JPRS certificate(s), 0 with problems

- A prompt, ``# `` or ``$ ``, begins a command; a line that ends with a backslash goes on.
- The lines below it are compared with what it writes. The line ``…`` stands for lines left out, a
  ``…`` at the end of a line for its rest. Without any lines nothing is compared.
- A command must succeed, unless ``(exit status 1)`` or ``(終了ステータス 1)`` ends its lines.
- ``KID`` and ``HMAC-KEY`` stand for the reader's own EAB credentials; the lab's go in for them.
- Dates, times of day, durations and serial numbers count only as such.

A document begins with an empty world. An HTML comment ``<!-- scene: … -->`` begins another,
``<!-- then: … -->`` changes the one that there is; ``scene.STATEMENTS`` are the words for it. What
cannot be run in the lab stands in ``exceptions``, with the reason.

``python -m tests.docs FILE…`` prints what the commands of a document say, as it would stand there.
"""
