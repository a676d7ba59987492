"""How the manual is built: once for each language, from docs/ja and docs/en.

`make docs` calls Sphinx with ``-c docs`` and the language of the directory.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sphinx.application import Sphinx

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "extensions"))

project = "certbot-jprs"
author = "The certbot-jprs developers"
project_copyright = author
extensions = [
    "myst_parser",
    "jprs_errors",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.apidoc",
]
apidoc_modules = [
    {
        "path": "../certbot_jprs",
        "destination": "api",
        "separate_modules": False,
        "module_first": True,
        "include_private": False,
    }
]
autodoc_default_options = {"members": True, "undoc-members": False, "member-order": "bysource"}
autodoc_typehints = "none"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # attributes are described by autodoc already
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "certbot-jprs"
html_static_path: list[str] = []
html_copy_source = False
html_show_copyright = False
myst_enable_extensions = ["substitution"]
myst_heading_anchors = 3
highlight_language = "none"

# Each chapter says it, so that who maintains it knows what to compare.
# ruff: noqa: RUF001 - marks of full width

VERSIONS = {
    "ja": "この章は、JPRSのマニュアル1.5版（2022-12-15）およびCertbot 5.8.0と照合しています。",
    "en": "This chapter was written against JPRS's manual 1.5 (2022-12-15) and Certbot 5.8.0.",
}


def localize(_app: Sphinx, config: object) -> None:
    """Puts in what depends on the language: the versions' line; the API's pages, in English."""
    language = config.language  # type: ignore[attr-defined]
    config.myst_substitutions = {"versions": VERSIONS[language]}  # type: ignore[attr-defined]


def setup(app: Sphinx) -> None:
    """Registers it."""
    app.connect("config-inited", localize, priority=100)
