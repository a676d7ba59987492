"""Held lineages as they are handled in this run: what this run issued, what an earlier one left.

Rules of this file: nothing moves here; a job says how its lineage's hooks are run and which web
server is its own, and others do it.
"""

from __future__ import annotations

import argparse
import copy
import functools
import gc
import logging
import os
import time
from collections.abc import Collection, Hashable
from dataclasses import dataclass, field
from typing import Any, Callable

from certbot import configuration

from certbot_jprs.ground import options
from certbot_jprs.ground.exceptions import HoldingError
from certbot_jprs.ground.language import _
from certbot_jprs.ground.names import NAME
from certbot_jprs.holding import noting
from certbot_jprs.holding.ending import Ending
from certbot_jprs.holding.installation import asked_for
from certbot_jprs.holding.records import Record, Store
from certbot_jprs.internals import interception
from certbot_jprs.internals.delegate import WebServer
from certbot_jprs.internals.delegates import APACHE, PREFIXES
from certbot_jprs.internals.delegation import Workers, of_config, of_lineage
from certbot_jprs.lineage import archive, files
from certbot_jprs.lineage.files import Lineage
from certbot_jprs.ocsp import certificates

logger = logging.getLogger(__name__)


@dataclass
class Job:
    """One held lineage in this run.

    Attributes:
        record: its record.
        lineage: its files.
        config: Certbot's configuration of it.
        run_hooks: runs its deploy hooks.
        server: the delegate that installs it; None where nobody does, or another plugin.
        workers: the delegates' plugin objects.
        reload_here: whether the release reloads the server (or Certbot does, right after it).
        earlier: whether an earlier run left it.
        ending: how its way into service ended, as far as it has come.
    """

    record: Record
    lineage: Lineage
    config: Any
    run_hooks: Callable[[], None]
    server: WebServer | None
    workers: Workers
    reload_here: bool = True
    earlier: bool = False
    ending: Ending = field(init=False)

    def __post_init__(self) -> None:
        record = self.record
        self.ending = Ending(record.name, record.held, record.in_service, record.since)

    @property
    def name(self) -> str:
        """The lineage's name."""
        return self.record.name

    @property
    def language(self) -> str | None:
        """The language that the lineage remembers, if any."""
        remembered: str | None = getattr(self.config, options.LANGUAGE, None)
        return remembered

    @functools.cached_property
    def server_key(self) -> Hashable:
        """Tells apart web servers: lineages with the same one share a reload."""
        return self.server.key(self.config) if self.server is not None else None

    def has_hooks(self) -> bool:
        """Tells whether it has deploy hooks, which mostly reload a server."""
        config = self.config
        hooks = getattr(config, "deploy_hook", None) or getattr(config, "renew_hook", None)
        if hooks or not getattr(config, "directory_hooks", False):
            return bool(hooks)
        try:
            return bool(os.listdir(config.renewal_deploy_hooks_dir))
        except OSError:
            return False

    def installer(self) -> Any:
        """Returns the plugin object that installs, ready for use.

        Raises:
            errors.Error: the web server cannot be used.
        """
        return self.workers.prepared(self.server or APACHE)


COLLECTED = 5
"""After how many held lineages the plugin objects that were made for them are freed."""


def share_plugin_objects(held: Collection[Job], newest: Job) -> None:
    """Has held lineages of one web server keep one plugin object, that of the newest.

    Certbot makes one for each lineage. It lies in cycles, and most of its memory is Augeas's, of
    which Python's collector does not know: left to itself, it seldom runs.

    Args:
        held: the lineages that are held already.
        newest: the one that joins them.
    """
    for job in held:
        if job.server_key == newest.server_key:
            job.workers = newest.workers
    if len(held) % COLLECTED == COLLECTED - 1:
        gc.collect()


def of_this_run(config: Any, name: str, run_hooks: Callable[[], None], workers: Workers) -> Job:
    """Makes the job of a certificate that was issued in this run.

    Args:
        config: Certbot's configuration of it.
        name: the lineage's name.
        run_hooks: runs its deploy hooks.
        workers: the delegates for it.

    Raises:
        HoldingError: its renewal file cannot be read.
        OSError: its versions cannot be.
    """
    lineage = files.named(config.config_dir, name)
    if lineage is None:
        raise HoldingError(
            _(
                "The renewal file of the new certificate {name} cannot be read. The certificate is "
                "not put into service before that is fixed."
            ).format(name=name)
        )
    store = Store(config.config_dir)
    newest = archive.versions(lineage)[-1]
    record = store.load(name)
    if record is not None and record.held is None:  # it could not be noted when it was saved
        record.held, record.since = newest, time.time()
    if record is None or record.held != newest:
        # A first certificate: nothing is in service. A record is that of a deleted lineage.
        noting.make_durable(lineage, newest)
        record = Record(
            name, held=newest, since=time.time(), directory_hooks=bool(config.directory_hooks)
        )
    server = of_config(config).installer
    record.reload = server is not None
    if config.verb == "run" and config.installer == NAME:
        record.install = [str(domain) for domain in config.domains]
        record.redirect = config.redirect is not False
        record.enhancements = asked_for(config)
    try:
        store.save(record)
    except OSError as error:  # only a kill before it is in service would be felt
        logger.warning(
            _("The record of the held certificate {name} could not be written: {error}").format(
                name=name, error=error
            )
        )
    return Job(record, lineage, config, run_hooks, server, workers)


def of_earlier_run(namespace: argparse.Namespace, record: Record, lineage: Lineage) -> Job:
    """Makes the job of a certificate that an earlier run left.

    Args:
        namespace: the options of this command.
        record: its record.
        lineage: its files.
    """
    config = _configuration_of(namespace, record, lineage)
    live = os.path.dirname(lineage.links["cert"])

    def run_hooks() -> None:
        names = certificates.names_in_order(lineage.certificate())
        renewed = record.in_service is not None
        interception.run_deploy_hooks(config, names, live, renewed=renewed)

    return Job(
        record,
        lineage,
        config,
        run_hooks,
        of_lineage(lineage.params).installer,
        Workers(config),
        earlier=True,
    )


def _configuration_of(namespace: argparse.Namespace, record: Record, lineage: Lineage) -> Any:
    """Makes a configuration with a lineage's own settings, as ``renew`` restores them."""
    config: Any = configuration.NamespaceConfig(copy.copy(namespace))
    for key, value in lineage.params.items():
        if key.startswith(options.DEST):
            setattr(config, key, options.restored(key, value))
    options.carry_options(config, lambda _dest: False, PREFIXES)
    options.enter_language(config)
    # Certbot before 5.2 runs the first for a renewed certificate, the second for a new one.
    config.renew_hook = config.deploy_hook = lineage.deploy_hook
    config.directory_hooks = record.directory_hooks
    config.dry_run = False
    return config
