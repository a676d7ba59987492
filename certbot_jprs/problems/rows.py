"""What a row of the table of JPRS's errors is, and the next steps that several of them share.

Rules of this file:

- Explanations say what is wrong, then the next step, short and without blame.
- Texts are in English here and are translated when they are asked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from certbot_jprs.ground.language import _, marked

CHALLENGE = "challenge"
"""Where the error of a challenge occurs: an ``unauthorized`` there is another than elsewhere."""


@dataclass(frozen=True)
class Explanation:
    """What an error means at JPRS, and what to do next, in the user's language.

    Attributes:
        meaning: one or two sentences.
        step: one or two sentences.
    """

    meaning: str
    step: str

    def __str__(self) -> str:
        return f"{self.meaning}\n{self.step}"


@dataclass(frozen=True)
class Row:
    """An error of the table.

    Attributes:
        kind: the ACME error type without its prefix.
        status: the HTTP status.
        message: the server's words, up to the value in brackets if there is one.
        meaning: what it means at JPRS; may name the ``{value}``.
        step: what to do next; may name the ``{value}``.
        unnamed: stands for the value where the server named none.
        alone: whether the type alone, with another message, means the same.
        where: the only step at which the row holds; None: anywhere but at a challenge, or,
            where ``alone``, anywhere.
    """

    kind: str
    status: int
    message: str
    meaning: str
    step: str
    unnamed: str = ""
    alone: bool = True
    where: str | None = None

    def explain(self, detail: str) -> Explanation:
        """Explains, with the value that the server put in brackets.

        Args:
            detail: the server's words.
        """
        found = re.search(r"\[(.*)\]", detail, re.DOTALL)
        value = " ".join(found.group(1).split()) if found else ""
        value = value.removeprefix("mailto:")
        value = value or (_(self.unnamed) if self.unnamed else "")
        return Explanation(_(self.meaning).format(value=value), _(self.step).format(value=value))


NEW_ACCOUNT = marked(
    "Ask your designated reseller for new EAB credentials, move the directory "
    "/etc/letsencrypt/accounts/acme.amecert.jprs.jp to another place, and run the command again "
    "with --eab-kid and --eab-hmac-key, or with --jprs-eab-file."
)
RESELLER_FIRST = marked(
    "First check with your designated reseller that every FQDN of the command is registered, paid "
    "for and within its period of use; then check the spelling of -d."
)
AGAIN = marked(
    "Run the command again: it makes a new order. If the error stays, ask your designated reseller."
)
BETWEEN = marked(
    "Check that --server, if given, is https://acme.amecert.jprs.jp/DV/getDirectory, and that no "
    "proxy (https_proxy) changes requests. If both are right, update Certbot."
)
REACHABLE = marked(
    "Check that the A and AAAA records of the name lead to this server, and that port 80 is open "
    "to the Internet (firewall, router, filters of the hosting provider)."
)
