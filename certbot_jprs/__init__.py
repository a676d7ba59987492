"""Certificates from JPRS with one Certbot flag.

The plugin ``certbot-jprs:http`` gets certificates from JPRS's ACME service
(JPRSサーバー証明書発行サービス ACME対応版), validates names by http-01 and installs through
Certbot's Apache plugin, or the one that stands beside the flag, and puts no certificate into
service before JPRS's OCSP responder knows it.

Use::

    certbot run -a certbot-jprs:http -d www.example.jp
    certbot certonly -a certbot-jprs:http -d www.example.jp
    certbot run --nginx -a certbot-jprs:http -d www.example.jp
    certbot certonly --webroot -w DIR -a certbot-jprs:http -d www.example.jp
    certbot run -a dns-PROVIDER -i certbot-jprs:http -d '*.example.jp'
    certbot register -a certbot-jprs:http -m ADDRESS --eab-kid KID --eab-hmac-key KEY
    certbot renew

Named arguments (each also in ``cli.ini``, in the second spelling, and kept for renewals):

``--certbot-jprs:http-ocsp-timeout``, ``--jprs-ocsp-timeout``
    Longest wait for the OCSP responder in seconds, counted from when the certificate was saved
    (default: 900). 0 waits not at all.
``--certbot-jprs:http-ocsp-interval``, ``--jprs-ocsp-interval``
    Pause between two queries in seconds (default: 10).
``--certbot-jprs:http-eab-file``, ``--jprs-eab-file``
    File with the EAB credentials, which only root can read. Not kept.
``--certbot-jprs:http-language``, ``--jprs-language``
    ``en`` or ``ja`` (default: the locale's).
``--certbot-jprs:http-check``, ``--jprs-check``
    Rehearse the command instead of issuing a certificate. Not kept.

What a user sees is described in README.md. The plan of the house, from the top floor down; a room
imports only from floors below it, and each says in its ``__init__`` what never enters it:

- The vestibule, all that Certbot imports for every command: ``entrypoint`` is what it loads,
  ``plugin`` what it calls, ``injection`` the options, and ``door`` the one way into the house.
- ``house`` brings the rooms together: what was parsed, decided, is held and watches, made once
  for each process.
- ``command``, the command ``certbot-jprs``.
- ``check``, the rehearsal.
- ``holding``, from saved to in service; and beside it ``problems``, JPRS's errors.
- ``rules``, JPRS's rules and what the flag implies.
- ``validation``, http-01 as soon as its files are there, and with few reloads.
- ``machine``, what else is on this machine.
- ``lineage``, Certbot's files.
- ``wait``, schedule, progress and end of the wait.
- ``ocsp``, what is asked and whether the answer is true.
- ``internals``, the only room that touches what Certbot does not promise.
- ``ground``, options, language, exceptions and names, with nothing below.

``make lint`` checks the floors (``[tool.importlinter]`` in pyproject.toml).
"""
