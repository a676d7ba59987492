"""The plugin's name, and the words for an installation that is damaged.

Rules of this file: ``entrypoint`` imports it outside its guard, for every command of Certbot's, so
it imports nothing and holds nothing that could fail.
"""

NAME = "certbot-jprs:http"
"""The plugin's name: what ``-a``, ``-i`` and renewal files call it."""


def damaged(problem: str) -> str:
    """Says that the installation is damaged, and what to do about it.

    In English: the translations may be what is damaged.

    Args:
        problem: what was found.
    """
    return (
        f"The installation of certbot-jprs is damaged: {problem}. Install it again, for example "
        "with: pip install --force-reinstall certbot-jprs"
    )
