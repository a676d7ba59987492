"""Metadata, dependencies and entry points of certbot-jprs."""

from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

HERE = Path(__file__).resolve().parent


def stale_catalogues() -> list[Path]:
    """Returns the translations that were not compiled since they changed.

    An sdist has them compiled, so that building from it needs no Babel.
    """
    return [
        source
        for source in HERE.glob("certbot_jprs/locale/*/LC_MESSAGES/*.po")
        if not (target := source.with_suffix(".mo")).exists()
        or target.stat().st_mtime < source.stat().st_mtime
    ]


def compile_catalogues() -> None:
    """Compiles the translations, in place, where that was not done since they changed."""
    for source in stale_catalogues():
        from babel.messages.mofile import write_mo
        from babel.messages.pofile import read_po

        with source.open("rb") as stream:
            catalogue = read_po(stream, locale=source.parts[-3])
        with source.with_suffix(".mo").open("wb") as stream:
            write_mo(stream, catalogue)


class BuildWithCatalogues(build_py):
    """Builds, also for an editable installation, with compiled translations."""

    def run(self) -> None:
        """Compiles, then builds."""
        compile_catalogues()
        super().run()


class SdistWithCatalogues(sdist):
    """Makes an sdist that has the translations compiled."""

    def run(self) -> None:
        """Compiles, then collects the files."""
        compile_catalogues()
        super().run()


setup(
    name="certbot-jprs",
    version="1.0.0",
    description="One Certbot flag for certificates from JPRS: right defaults, and no reload "
    "before JPRS's OCSP responder knows the certificate",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author="The certbot-jprs developers",
    license="Apache-2.0",
    python_requires=">=3.9",
    setup_requires=["babel>=2.9"] if stale_catalogues() else [],
    packages=find_packages(include=["certbot_jprs", "certbot_jprs.*"]),
    cmdclass={"build_py": BuildWithCatalogues, "sdist": SdistWithCatalogues},
    package_data={"certbot_jprs": ["py.typed", "locale/*/LC_MESSAGES/*.mo"]},
    exclude_package_data={"certbot_jprs": ["locale/*/LC_MESSAGES/*.po"]},
    include_package_data=True,
    zip_safe=False,
    install_requires=[
        "acme>=1.21",
        "certbot>=1.21",
        "certbot-apache>=1.21",
        "configobj>=5.0.6",
        "cryptography>=3.4",
        "dnspython>=2.0",
        "idna>=2.5",
        "requests>=2.20",
        "tqdm>=4.57",
    ],
    extras_require={"nginx": ["certbot-nginx>=1.21"], "prometheus": ["prometheus-client>=0.9"]},
    entry_points={
        "console_scripts": ["certbot-jprs = certbot_jprs.command.main:main"],
        # The name is literal: Certbot derives the options' prefix from it.
        "certbot.plugins": ["certbot-jprs:http = certbot_jprs.entrypoint:Configurator"],
    },
    classifiers=[
        "Development Status :: 5 - Production/Stable",
        "Environment :: Plugins",
        "Intended Audience :: System Administrators",
        "Natural Language :: English",
        "Natural Language :: Japanese",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Topic :: Internet :: WWW/HTTP",
        "Topic :: Security",
        "Topic :: System :: Systems Administration",
        "Typing :: Typed",
    ],
)
