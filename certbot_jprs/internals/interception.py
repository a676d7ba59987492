"""The steps of Certbot that move a lineage's links or run its hooks.

Rules of this file: as of the room; what is wrapped passes every lineage through that is not the
plugin's.
"""

from __future__ import annotations

import functools
import logging
import sys
from typing import Any, Callable, Protocol

try:
    from certbot._internal import hooks, storage
except ImportError:  # see ``intercept``
    hooks = storage = None  # type: ignore[assignment]

logger = logging.getLogger(__name__)

_HOOKED = "_certbot_jprs_hooked"


class Interceptor(Protocol):
    """What is told of the steps of Certbot that move a lineage's links or run its hooks."""

    def before_issuing(self, config: Any) -> None:
        """A certificate is about to be ordered; raising prevents that."""

    def before_saving(self, lineage: Any, config: Any) -> None:
        """A new version is about to be written to ``archive/``."""

    def after_saving(self, lineage: Any, version: int) -> None:
        """That version was written; no link was moved."""

    def keeps_links(self, lineage: Any, version: int | None) -> bool:
        """Tells whether the links stay, although Certbot would move them to ``version``."""

    def deploy_hooks(self, config: Any, lineage_path: str, run: Callable[[], None]) -> None:
        """Certbot would run the lineage's deploy hooks now, with ``run``."""

    def at_end(self) -> Callable[[], None]:
        """The last lineage of ``renew`` was processed.

        Returns:
            What is called after the post-hooks; raising there makes the run fail.
        """


_HOOKS = ("pre_hook", "deploy_hook", "run_saved_post_hooks")
_LINEAGE_METHODS = ("save_successor", "update_all_links_to", "has_pending_deployment")


def intercept(interceptor: Interceptor) -> bool:
    """Tells an interceptor of the steps that move a lineage's links or run its deploy hooks.

    Why: Certbot links a renewed certificate into ``live/``, and runs its deploy hooks, before it
    calls any plugin; a hook like ``systemctl reload httpd``, or anybody's reload, would serve it
    before the OCSP responder knows it. Certbot has no public mechanism that reaches earlier:
    ``directory_hooks = False`` silences other lineages' hooks too, and a blanked ``deploy_hook``
    is erased from the renewal file. How: the functions of ``certbot._internal.hooks`` and the
    methods of ``RenewableCert`` that Certbot calls through their module and class are wrapped,
    once per process, and only where the plugin is selected or holds something. Tested with
    Certbot 1.21, 2.1 and 5.8 (``renew_hook`` existed before 5.2, ``truncate`` since 2.8).

    Args:
        interceptor: what is told; the same object for the whole process.

    Returns:
        False where this Certbot lacks one of them, and then nothing is wrapped: the plugin waits
        before each reload of its own, and deploy hooks run before that wait.
    """
    try:
        lineage_class = storage.RenewableCert
        targets = [getattr(hooks, name) for name in _HOOKS]
        targets += [getattr(lineage_class, name) for name in _LINEAGE_METHODS]
    except AttributeError as error:
        logger.debug("This Certbot's hooks or lineages are unknown to certbot-jprs: %s", error)
        return False
    if not all(callable(target) for target in targets):
        return False
    if getattr(hooks, _HOOKED, False):
        return True
    setattr(hooks, _HOOKED, True)
    _wrap_hooks(hooks, interceptor)
    _wrap_lineages(lineage_class, interceptor)
    return True


def _wrap_hooks(hooks: Any, interceptor: Interceptor) -> None:
    def issuing(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def pre_hook(config: Any, *args: Any, **kwargs: Any) -> Any:
            interceptor.before_issuing(config)
            return original(config, *args, **kwargs)

        return pre_hook

    def deploying(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def deploy_hook(config: Any, domains: Any, lineage_path: str) -> None:
            interceptor.deploy_hooks(
                config, lineage_path, lambda: original(config, domains, lineage_path)
            )

        return deploy_hook

    def ending(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def run_saved_post_hooks(*args: Any, **kwargs: Any) -> Any:
            # Before Certbot 2.7 this is called in a `finally`, also when the run was ended.
            in_flight = sys.exc_info()[1]
            if in_flight is not None and not isinstance(in_flight, Exception):
                return original(*args, **kwargs)
            failure: BaseException | None = None
            try:
                conclude = interceptor.at_end()
            # A post-hook may start what a pre-hook has stopped: it runs whatever went wrong with
            # us, and also when Ctrl-C ended the wait.
            except BaseException as error:  # noqa: BLE001 - kept, and raised below
                failure = error
            try:
                return original(*args, **kwargs)
            finally:
                if failure is not None:
                    raise failure
                conclude()

        return run_saved_post_hooks

    hooks.pre_hook = issuing(hooks.pre_hook)
    hooks.run_saved_post_hooks = ending(hooks.run_saved_post_hooks)
    for name in ("deploy_hook", "renew_hook"):
        if hasattr(hooks, name):
            setattr(hooks, name, deploying(getattr(hooks, name)))


def _wrap_lineages(lineage_class: Any, interceptor: Interceptor) -> None:
    save, update, pending = (getattr(lineage_class, name) for name in _LINEAGE_METHODS)

    @functools.wraps(save)
    def save_successor(self: Any, *args: Any) -> Any:
        # The last argument is the configuration, on all versions.
        interceptor.before_saving(self, args[-1])
        version = save(self, *args)
        interceptor.after_saving(self, version)
        return version

    @functools.wraps(update)
    def update_all_links_to(self: Any, version: int) -> Any:
        return None if interceptor.keeps_links(self, version) else update(self, version)

    @functools.wraps(pending)
    def has_pending_deployment(self: Any) -> Any:
        return False if interceptor.keeps_links(self, None) else pending(self)

    lineage_class.save_successor = save_successor
    lineage_class.update_all_links_to = update_all_links_to
    lineage_class.has_pending_deployment = has_pending_deployment
    if hasattr(lineage_class, "truncate"):
        truncate = lineage_class.truncate

        @functools.wraps(truncate)
        def keep_or_truncate(self: Any, *args: Any, **kwargs: Any) -> Any:
            # It spares the newest versions, and the one in service may be older than those.
            return None if interceptor.keeps_links(self, None) else truncate(self, *args, **kwargs)

        lineage_class.truncate = keep_or_truncate


def run_deploy_hooks(config: Any, domains: list[str], lineage_path: str, *, renewed: bool) -> None:
    """Runs a lineage's deploy hooks as Certbot does.

    Used for a lineage that an earlier run left held: the hooks that Certbot passed then are gone
    with that process.

    Args:
        config: a configuration with the lineage's hooks.
        domains: the names of the certificate.
        lineage_path: its directory in ``live/``.
        renewed: whether it replaces an earlier version; before 5.2 Certbot runs the hooks of
            ``renewal-hooks/deploy/`` only then.
    """
    name = "renew_hook" if renewed and hasattr(hooks, "renew_hook") else "deploy_hook"
    wrapped = getattr(hooks, name)
    getattr(wrapped, "__wrapped__", wrapped)(config, domains, lineage_path)
