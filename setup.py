"""Metadata, dependencies and entry points of certbot-jprs."""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).resolve().parent

setup(
    name="certbot-jprs",
    version="0.1.0",
    description="One Certbot flag for certificates from JPRS: right defaults, and no reload "
    "before JPRS's OCSP responder knows the certificate",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author="The certbot-jprs developers",
    license="Apache-2.0",
    python_requires=">=3.9",
    packages=find_packages(include=["certbot_jprs", "certbot_jprs.*"]),
    package_data={"certbot_jprs": ["py.typed"]},
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
    entry_points={
        "console_scripts": ["certbot-jprs = certbot_jprs.command.main:main"],
        # The name is literal: Certbot derives the options' prefix from it.
        "certbot.plugins": ["certbot-jprs:http = certbot_jprs.entrypoint:Configurator"],
    },
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Plugins",
        "Intended Audience :: System Administrators",
        "License :: OSI Approved :: Apache Software License",
        "Natural Language :: English",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Topic :: Internet :: WWW/HTTP",
        "Topic :: Security",
        "Topic :: System :: Systems Administration",
        "Typing :: Typed",
    ],
)
