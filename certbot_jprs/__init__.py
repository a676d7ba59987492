"""Certificates from JPRS with one Certbot flag.

The plugin ``certbot-jprs:http`` gets certificates from JPRS's ACME service
(JPRSサーバー証明書発行サービス ACME対応版), validates names by http-01 and installs through
Certbot's Apache plugin, and puts no certificate into service before JPRS's OCSP responder knows
it.

Use::

    certbot run -a certbot-jprs:http -d www.example.jp
    certbot certonly -a certbot-jprs:http -d www.example.jp
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

What a user sees is described in README.md; how the code is laid out:

- ``entrypoint`` is what Certbot loads; ``plugin`` what it calls; ``parsing`` looks at each
  command line, and goes on only where it concerns the plugin.
- ``one_flag`` decides what a command line implies, with ``existing`` for lineages that are there
  already and ``registration`` and ``eab`` for the account; ``selection`` decides what applies to
  a lineage under ``renew``; ``policy`` holds JPRS's rules, ``options`` the options.
- ``holding`` keeps the version in service linked, ``release`` puts a new one into service,
  ``records`` is what survives a crash, ``leftovers`` what an earlier run left, ``archive`` moves
  links; ``deployment`` waits right before an installation; ``verdict`` decides and tells.
- ``gate`` is the wait, ``progress`` shows it, ``interrupts`` ends it; ``asking``, ``responder``
  and ``exchange`` ask, ``ocsp`` and ``signatures`` verify.
- ``problems`` and ``problem_table`` know JPRS's errors, ``explanations`` and ``challenges`` show
  what they mean, ``language`` in which language.
- ``check`` is the rehearsal, ``command`` the command ``certbot-jprs``, ``schedulers`` finds what
  runs renewals.
- ``lineages`` reads Certbot's files, ``adoption`` edits a renewal file, ``apache`` loads the
  Apache plugin, and ``internals`` is the only module that touches what Certbot does not promise.
"""
