"""The only module that touches what Certbot does not promise.

Rules of this file: every use of a private name is guarded, and stands beside the reason for it,
the Certbot versions that it was tested with, and what happens where the name is missing.
"""

from __future__ import annotations

import argparse
import functools
import logging
import re
import sys
from dataclasses import dataclass
from typing import Any, Callable, Protocol

from certbot import errors

logger = logging.getLogger(__name__)

_HOOKED = "_certbot_jprs_hooked"


@dataclass(frozen=True)
class ParsedCommand:
    """One parsed command line, before Certbot acts on it.

    Attributes:
        namespace: the options; what is set here is what Certbot sees.
        verb: Certbot's subcommand, such as ``run``.
        from_file: destinations whose value came from ``cli.ini`` (or ``--config``), not
            overridden by the command line.
        typed: destinations whose value the user gave, on the command line or in a file.
        detecting: True while Certbot before 2.7 parses the same command line once more, only to
            learn which options were given (``cli.set_by_cli``).
    """

    namespace: argparse.Namespace
    verb: str
    from_file: frozenset[str]
    typed: frozenset[str]
    detecting: bool


def after_parsing(group: Any, act: Callable[[ParsedCommand], None]) -> bool:
    """Arranges that ``act`` is called with each parsed command line, before Certbot sees it.

    Why: ``certbot run -n -a certbot-jprs:http`` without ``-i`` stops with "Missing command line
    flags" before any plugin is constructed, and ``register`` and ``revoke`` construct none at
    all; so what the flag implies has to be there when parsing ends. How: ``group`` is what
    Certbot hands to ``inject_parser_options``; its ``_parser`` is Certbot's
    ``HelpfulArgumentParser``, whose ``parser`` is the argparse parser. That one object's
    ``parse_args`` is wrapped. Tested with Certbot 1.21, 2.1 and 5.8.

    Args:
        group: the parser or group given to ``inject_parser_options``.
        act: called once for each parsing; what it raises ends the command.

    Returns:
        False where Certbot has changed too much for this. Then ``-i``, ``--server`` and
        ``--key-type`` have to be given, as without this plugin.
    """
    helpful = getattr(group, "_parser", None)
    parser = getattr(helpful, "parser", None)
    verb = getattr(helpful, "verb", None)
    if parser is None or not isinstance(verb, str) or not hasattr(parser, "parse_args"):
        logger.debug("This Certbot's parser is unknown to certbot-jprs: %r", group)
        return False
    if getattr(parser, _HOOKED, False):  # Certbot before 2.0 registers third parties twice
        return True
    setattr(parser, _HOOKED, True)
    parse_args = parser.parse_args

    @functools.wraps(parse_args)
    def parse_and_act(*args: Any, **kwargs: Any) -> argparse.Namespace:
        namespace: argparse.Namespace = parse_args(*args, **kwargs)
        on_command_line = _set_on_command_line(parser, helpful)
        # ConfigArgParse does not see that "-aNAME" or "--auth NAME" overrides a file's value.
        from_file = _set_in_file(parser) - on_command_line
        command = ParsedCommand(
            namespace=namespace,
            verb=verb,
            from_file=from_file,
            typed=from_file | on_command_line,
            detecting=bool(getattr(helpful, "detect_defaults", False)),
        )
        try:
            act(command)
        except (AttributeError, ImportError, NameError, SyntaxError) as error:
            _torn(command.namespace, error)
        return namespace

    parser.parse_args = parse_and_act
    return True


def _torn(namespace: argparse.Namespace, error: Exception) -> None:
    """Keeps a torn file of this package from stopping commands that do not select it.

    Args:
        namespace: the parsed command line.
        error: what acting on it raised.

    Raises:
        errors.PluginError: the command selects the plugin.
    """
    from certbot_jprs.entrypoint import NAME, damaged

    if NAME in (namespace.authenticator, namespace.installer, namespace.configurator):
        raise errors.PluginError(damaged(f"{type(error).__name__}: {error}")) from error
    logger.debug("certbot-jprs could not look at the command line", exc_info=error)


def _set_in_file(parser: Any) -> frozenset[str]:
    """Returns the destinations that ConfigArgParse read from configuration files."""
    try:
        sources = parser.get_source_to_settings_dict()
        return frozenset(
            action.dest
            for source, settings in sources.items()
            if source.startswith("config_file")
            for action, _value in settings.values()
            if action is not None
        )
    except (AttributeError, TypeError, ValueError):
        # Fallback: all counts as typed on the command line, which only costs the distinction
        # that `revoke` and the account verbs make.
        logger.debug("This ConfigArgParse is unknown to certbot-jprs", exc_info=True)
        return frozenset()


def _set_on_command_line(parser: Any, helpful: Any) -> frozenset[str]:
    """Returns the destinations of the options that stand on the command line.

    Values need not be told from options: argparse refuses a value that looks like one.
    """
    known = {
        option: action
        for action in getattr(parser, "_actions", [])
        for option in action.option_strings
    }
    found: set[str] = set()
    for word in map(str, getattr(helpful, "args", [])):
        if word == "--":
            break
        found.update(action.dest for action in _named_by(word, known))
    return frozenset(found)


def _named_by(word: str, known: dict[str, Any]) -> list[Any]:
    """Returns the actions of the options in one word of a command line, as argparse reads it."""
    if word.startswith("--"):
        option = word.split("=", 1)[0]
        if option in known:  # `--apache` is no abbreviation of `--apache-server-root`
            return [known[option]]
        return [action for name, action in known.items() if name.startswith(option)]
    named = []
    if word.startswith("-"):
        for letter in word[1:]:  # flags share a dash up to the first that takes a value: `-naNAME`
            action = known.get(f"-{letter}")
            if action is None:
                break
            named.append(action)
            if action.nargs != 0:
                break
    return named


def words_of(group: Any) -> list[str]:
    """Returns the words of the command line that is about to be parsed.

    Why: an error of parsing is told before any option has its value; its language is looked for
    here. Where the parser is unknown there are none, and the locale decides.

    Args:
        group: the parser or group given to ``inject_parser_options``.
    """
    return [str(word) for word in getattr(getattr(group, "_parser", None), "args", None) or ()]


_DASHED = re.compile(r"-\w[\w-]{14,}={0,2}", re.ASCII)


def keep_dashed_values(group: Any, options: tuple[str, ...]) -> None:
    """Lets a credential that begins with a dash be the value of the option before it.

    Why: one base64url text in 64 begins so, and argparse takes it for an option: the command stops
    with "expected one argument", whatever the user may copy. How: option and value become one word
    of the command line. Where the parser is unknown, that stop remains. Tested with Certbot 1.21,
    2.1 and 5.8.

    Args:
        group: the parser or group given to ``inject_parser_options``.
        options: the options that may have such values.
    """
    words = getattr(getattr(group, "_parser", None), "args", None)
    if not isinstance(words, list):
        return
    for position in range(len(words) - 1, 0, -1):
        option, value = words[position - 1 : position + 1]
        if option in options and _DASHED.fullmatch(str(value)):
            words[position - 1 : position + 1] = [f"{option}={value}"]


def option_dests(group: Any, prefix: str) -> dict[str, Callable[[str], Any]]:
    """Lists the options of another plugin that the parser knows already.

    Why: Certbot restores a plugin's options from a renewal file only under the names of the
    lineage's own plugins (``renewal._restore_plugin_configs``), so ``--apache-*`` options have
    to be carried under this plugin's prefix, and which there are depends on the Certbot.

    Args:
        group: the parser or group given to ``inject_parser_options``.
        prefix: start of the destinations, such as ``apache_``.

    Returns:
        Each destination with the function that converts its text; empty where the parser is
        unknown, and then those options hold for one command only, as with other plugins.
    """
    parser = getattr(getattr(group, "_parser", None), "parser", None)
    return {
        action.dest: action.type or str
        for action in getattr(parser, "_actions", [])
        if action.dest.startswith(prefix)
    }


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
    Certbot 1.21, 2.1 and 5.8 (``renew_hook`` existed before 5.0, ``truncate`` since 2.8).

    Args:
        interceptor: what is told; the same object for the whole process.

    Returns:
        False where this Certbot lacks one of them, and then nothing is wrapped: the plugin waits
        before each reload of its own, and deploy hooks run before that wait.
    """
    try:
        from certbot._internal import hooks, storage

        lineage_class = storage.RenewableCert
        targets = [getattr(hooks, name) for name in _HOOKS]
        targets += [getattr(lineage_class, name) for name in _LINEAGE_METHODS]
    except (ImportError, AttributeError) as error:
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


def run_deploy_hooks(config: Any, domains: list[str], lineage_path: str, renewed: bool) -> None:
    """Runs a lineage's deploy hooks as Certbot does.

    Used for a lineage that an earlier run left held: the hooks that Certbot passed then are gone
    with that process.

    Args:
        config: a configuration with the lineage's hooks.
        domains: the names of the certificate.
        lineage_path: its directory in ``live/``.
        renewed: whether it replaces an earlier version; before 5.0 Certbot runs the hooks of
            ``renewal-hooks/deploy/`` only then.
    """
    from certbot._internal import hooks

    name = "renew_hook" if renewed and hasattr(hooks, "renew_hook") else "deploy_hook"
    wrapped = getattr(hooks, name)
    getattr(wrapped, "__wrapped__", wrapped)(config, domains, lineage_path)


def has_virtual_host(apache: Any, name: str) -> bool | None:
    """Tells whether the Apache plugin would find a virtual host for a name by itself.

    Why: its public ``choose_vhosts`` asks the user, or changes the configuration. How: by
    ``_find_best_vhost``, which only looks. Tested with Certbot 1.21, 2.1 and 5.8.

    Args:
        apache: the Apache plugin, which has read Apache's configuration.
        name: the name; not a wildcard.

    Returns:
        None where this version of the plugin does not tell.
    """
    find = getattr(apache, "_find_best_vhost", None)
    return find(name) is not None if callable(find) else None


def lacks_ssl_module(apache: Any) -> bool:
    """Tells whether Apache lacks mod_ssl and the Apache plugin will not enable it.

    Why: on RHEL, where mod_ssl is a package of its own, a certificate is issued and then not
    installed ("Could not find ssl_module"). How: by the plugin's options and its list of modules,
    which have no public names. Tested with Certbot 1.21, 2.1 and 5.8.

    Args:
        apache: the Apache plugin, which has read Apache's configuration.

    Returns:
        False also where this version of the plugin does not tell.
    """
    handles = getattr(getattr(apache, "options", None), "handle_modules", None)
    modules = getattr(getattr(apache, "parser", None), "modules", None)
    return handles is False and modules is not None and "ssl_module" not in modules
