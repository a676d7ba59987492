"""What Certbot calls of the plugin: its own hooks and lineages, an OCSP responder on loopback.

Certbot's plugins for web servers, which do the work, are played.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from acme import challenges, messages
from certbot import errors
from certbot._internal import hooks, renewal, storage
from certbot.display import util as display_util

from certbot_jprs import door
from certbot_jprs.check import challenge, rehearsal
from certbot_jprs.ground import language, options
from certbot_jprs.ground.exceptions import CertificateRevoked, HoldingError
from certbot_jprs.ground.names import NAME
from certbot_jprs.ground.options import AUTHENTICATOR, INSTALLER
from certbot_jprs.holding.records import Record, Store
from certbot_jprs.internals.delegation import Workers
from certbot_jprs.lineage import files
from certbot_jprs.machine import served
from certbot_jprs.plugin import Configurator
from tests.unit.command_line import CONTACT, FLAG, Parse, forget
from tests.unit.config_dir import LETS_ENCRYPT, ConfigDir, linked, version
from tests.unit.peers import OcspResponder

SITE = "www.example.jp"
LINE = ("-n", *FLAG, *CONTACT, "-d", SITE)
OURS: Any = {"authenticator": NAME, "installer": NAME, "renew_hook": None}
OTHER = ("certonly", *LINE, "--server", LETS_ENCRYPT)
reconstitute = vars(renewal).get("reconstitute") or vars(renewal)["_reconstitute"]
NO_SANS: tuple[Any, ...] = ([],) * hooks.run_saved_post_hooks.__code__.co_argcount
"""What Certbot hands to ``run_saved_post_hooks``: nothing at all before 2.7."""


class Server:
    """Certbot's plugin for a web server: notes what it is told, answers as the test says.

    Attributes:
        told: what it was told.
        answers: what it answers, by method; None unless given.
    """

    vhosts = ()

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.answers: dict[str, Any] = {"get_all_names": {"a.example.jp", "b.example.jp"}}

    def __getattr__(self, method: str) -> Any:
        if method.startswith("_"):
            raise AttributeError(method)

        def note(*args: Any) -> Any:
            self.told.append((method, *args))
            return self.answers.get(method)

        return note

    def restart(self) -> None:
        self.told.append(("restart",))

    def cleanup(self, achalls: Any) -> None:
        self.told.append(("cleanup", achalls))
        self.restart()

    @property
    def methods(self) -> list[str]:
        return [each[0] for each in self.told]


class Stage:
    """One process of Certbot's, as far as it is about the plugin.

    Attributes:
        said: what Certbot's display showed.
        servers: Certbot's plugins that were made, by name.
    """

    def __init__(self, parse: Parse) -> None:
        self._parse = parse
        self.said: list[str] = []
        self.servers: dict[str, Server] = {}

    def server(self, name: str) -> Server:
        return self.servers.setdefault(name, Server())

    @property
    def apache(self) -> Server:
        return self.server("apache")

    def command(self, *words: str, ini: str = "") -> Any:
        """Returns the plugin as Certbot makes it for a command line."""
        return Configurator(self._parse(*words, ini=ini).config, NAME)

    def renewing(self, name: str = SITE, *words: str, ini: str = "") -> Any:
        """Returns the plugin as ``renew`` makes it for a lineage."""
        config = self._parse("renew", *words, ini=ini).config
        assert reconstitute(config, str(self._parse.config_dir.conf(name))) is not None
        return Configurator(config, NAME)


@pytest.fixture
def stage(parse: Parse, monkeypatch: pytest.MonkeyPatch, english: None) -> Stage:
    del english
    made = Stage(parse)
    for kind in ("pre", "deploy", "post"):  # as Certbot's main function makes them
        (parse.config_dir.path / "renewal-hooks" / kind).mkdir(parents=True)
    monkeypatch.setattr(Workers, "make", lambda _workers, delegate: made.server(delegate.name))
    monkeypatch.setattr(display_util, "notify", made.said.append)
    monkeypatch.setattr(served, "listening", lambda _port: [])  # on this machine's own port 443
    return made


@pytest.fixture
def responder() -> Iterator[OcspResponder]:
    made = OcspResponder()
    yield made
    made.close()


def failed(name: str, detail: str = "refused", *, by_dns: bool = False) -> Any:
    """Returns a challenge that JPRS could not validate, as Certbot hands it over."""
    document = {"type": messages.ERROR_PREFIX + "connection", "detail": detail}
    made = challenge.make([name])[0].annotated
    body = messages.ChallengeBody(
        chall=challenges.DNS01(token=b"x" * 32) if by_dns else made.chall,
        uri="",
        status=messages.STATUS_INVALID,
        error=messages.Error.from_json(document),
    )
    named = challenge._identifier(name)
    return type(made)(challb=body, account_key=made.account_key, **named)


def told_of(error: Exception, text: str) -> None:
    """Has Certbot log an error as its last resort does."""
    logger = logging.getLogger("certbot._internal.log")
    logger.debug("Exiting abnormally:", exc_info=(type(error), error, None))
    logger.error(text)


# Where it is not selected


def test_where_it_is_not_selected_it_says_how_it_would_be(stage: Stage) -> None:
    plugin = stage.command("run", "-n", "--apache", *CONTACT, "-d", SITE)
    with pytest.raises(errors.PluginError, match=f"-a {NAME}"):
        plugin.prepare()
    for method in ("update_autohsts", "deploy_autohsts"):
        getattr(plugin, method)(SimpleNamespace())
    assert stage.servers == {}


def test_certbot_can_list_it(stage: Stage) -> None:
    plugin = stage.command("plugins", "--prepare")
    plugin.prepare()
    assert stage.servers == {}
    assert plugin.more_info().startswith("Gets certificates from JPRS")


def test_its_description_is_in_the_users_language(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Configurator.description.startswith("Certificates from JPRS, put into service once")
    monkeypatch.setattr(language, "_can_show_japanese", lambda: True)
    language.start("ja")
    assert "JPRS" in Configurator.description
    assert not Configurator.description.isascii()


# What it passes on


@pytest.mark.parametrize("words", [("certonly", *LINE), OTHER])
@pytest.mark.parametrize(
    ("method", "args", "passed"),
    [
        ("get_all_names", (), ()),
        ("supported_enhancements", (), ()),
        ("save", (), (None, False)),
        ("save", ("a title", True), ("a title", True)),
        ("rollback_checkpoints", (), (1,)),
        ("rollback_checkpoints", (3,), (3,)),
        ("recovery_routine", (), ()),
        ("config_test", (), ()),
        ("get_chall_pref", (SITE,), (SITE,)),
        ("enable_autohsts", ("lineage", [SITE]), ("lineage", [SITE])),
        ("update_autohsts", ("lineage",), ("lineage",)),
        ("deploy_autohsts", ("lineage",), ("lineage",)),
    ],
)
def test_what_is_asked_of_it_is_asked_of_who_does_it(
    stage: Stage,
    words: tuple[str, ...],
    method: str,
    args: tuple[Any, ...],
    passed: tuple[Any, ...],
) -> None:
    plugin = stage.command(*words)
    stage.apache.answers[method] = "the answer"
    answer = getattr(plugin, method)(*args)
    assert stage.apache.told == [(method, *passed)]
    if method.startswith(("get", "supported")):
        assert answer == "the answer"


def test_a_server_without_autohsts_hears_nothing_of_it(stage: Stage) -> None:
    plugin = stage.command("certonly", *LINE, "--nginx")
    for method in ("update_autohsts", "deploy_autohsts"):
        getattr(plugin, method)("lineage")
    assert stage.servers == {}
    plugin.config_test()  # the twin
    assert stage.servers["nginx"].methods == ["config_test"]


# Validation


def test_who_validates_prepares_performs_and_cleans_up(stage: Stage) -> None:
    plugin = stage.command("certonly", *LINE)
    plugin.prepare()
    stage.apache.answers["perform"] = ["response"]
    achalls = [failed(SITE)]
    assert plugin.perform(achalls) == ["response"]
    plugin.cleanup(achalls)
    assert stage.apache.told == [
        ("prepare",),
        ("perform", achalls),
        ("cleanup", achalls),
        ("restart",),
    ]
    assert plugin.config.authenticator == NAME
    assert not plugin.config.reuse_key


def test_another_cas_renewal_keeps_its_plugins_names(stage: Stage, config_dir: ConfigDir) -> None:
    config_dir.add(SITE, server=LETS_ENCRYPT, authenticator="nginx", installer="nginx")
    plugin = stage.renewing(SITE, *FLAG)
    assert plugin.config.authenticator == NAME
    plugin.perform([])
    plugin.cleanup([])
    assert stage.servers["nginx"].methods == ["perform", "cleanup", "restart"]
    assert (plugin.config.authenticator, plugin.config.installer) == ("nginx", "nginx")


def test_under_renew_the_reload_after_a_validation_is_put_off(
    stage: Stage, config_dir: ConfigDir
) -> None:
    config_dir.add(SITE, **OURS)
    plugin = stage.renewing()
    plugin.cleanup([])
    assert stage.apache.told == [("cleanup", [])]
    hooks.run_saved_post_hooks(*NO_SANS)
    assert stage.apache.told == [("cleanup", [])]  # nothing is held: nothing was opened
    door.current.enter()._reloads.settle()
    assert stage.apache.methods == ["cleanup", "restart"]


def test_a_new_key_is_the_one_that_is_reused_from_then_on(stage: Stage) -> None:
    """With a Certbot that has no ``--new-key``."""
    plugin = stage.command("certonly", *LINE)
    door.current.enter().decision.reuse_new_key = True
    plugin.cleanup([])
    assert plugin.config.reuse_key is True


def test_the_hint_says_what_jprs_saw(stage: Stage) -> None:
    plugin = stage.command("certonly", *LINE)
    hint = plugin.auth_hint([failed(SITE, "connection refused by peer")])
    assert hint.startswith(f"JPRS could not validate {SITE}.")
    assert f"http://{SITE}/.well-known/acme-challenge/" in hint
    assert "connection refused by peer" in hint
    assert "apachectl -S" in hint
    assert stage.servers == {}


@pytest.mark.parametrize(
    ("words", "by_dns"), [(("certonly", *LINE), True), (OTHER, False), (OTHER, True)]
)
def test_who_validates_hints_where_we_know_nothing(
    stage: Stage, words: tuple[str, ...], by_dns: bool
) -> None:
    plugin = stage.command(*words)
    stage.apache.answers["auth_hint"] = "Apache's own"
    achall = failed(SITE, by_dns=by_dns)
    assert plugin.auth_hint([achall]) == "Apache's own"


@pytest.mark.parametrize("quiet", [True, False])
def test_the_hint_is_repeated_where_certbot_is_quiet(
    stage: Stage, caplog: pytest.LogCaptureFixture, quiet: bool
) -> None:
    plugin = stage.command("certonly", *LINE, *(["-q"] if quiet else []))
    hint = plugin.auth_hint([failed(SITE)])
    with caplog.at_level(logging.DEBUG):
        told_of(errors.AuthorizationError("Some failed."), "Some failed.")
    assert (hint in caplog.messages) is quiet


# Installation


def test_a_wildcard_is_installed_for_the_hosts_that_it_covers(stage: Stage) -> None:
    plugin = stage.command("install", *FLAG, "-n", "--cert-path", "/c", "--key-path", "/k")
    setattr(plugin.config.namespace, options.OCSP_TIMEOUT, 0)
    plugin.deploy_cert("*.example.jp", "/c", "/k", "/i", "/f")
    plugin.enhance("*.example.jp", "redirect", {"an": "option"})
    deployed = [each for each in stage.apache.told if each[0] in ("deploy_cert", "enhance")]
    hosts = ("a.example.jp", "b.example.jp")
    assert deployed == [
        *(("deploy_cert", host, "/c", "/k", "/i", "/f") for host in hosts),
        *(("enhance", host, "redirect", {"an": "option"}) for host in hosts),
    ]
    plugin.config.noninteractive_mode = False  # then Certbot's plugins ask which
    plugin.deploy_cert("*.example.jp", "/c", "/k")
    assert ("deploy_cert", "*.example.jp", "/c", "/k", None, None) in stage.apache.told


def paths(config_dir: ConfigDir) -> list[str]:
    return [str(config_dir.live(SITE, kind)) for kind in ("cert", "privkey", "chain", "fullchain")]


@pytest.mark.parametrize("status", ["good", "revoked"])
def test_what_was_issued_earlier_is_installed_once_it_is_good(
    stage: Stage, config_dir: ConfigDir, responder: OcspResponder, status: str
) -> None:
    lineage = config_dir.add(SITE, responder=responder.url, **OURS)
    responder.says[lineage.certificate().serial_number] = status
    plugin = stage.command("install", "-n", *FLAG, "--cert-name", SITE)
    if status == "good":
        plugin.deploy_cert(SITE, *paths(config_dir))
        plugin.deploy_cert(SITE, *paths(config_dir))
        assert stage.apache.methods == ["deploy_cert", "save"] * 2
    else:
        with pytest.raises(CertificateRevoked, match=SITE):
            plugin.deploy_cert(SITE, *paths(config_dir))
        assert stage.apache.told == []
    assert responder.asked == [lineage.certificate().serial_number]  # for several names, once
    plugin.restart()
    assert stage.apache.methods[-1] == "restart"


def test_a_command_for_another_ca_waits_for_nothing(
    stage: Stage, config_dir: ConfigDir, responder: OcspResponder
) -> None:
    config_dir.add(SITE, responder=responder.url, **OURS)
    plugin = stage.command(*OTHER)
    plugin.deploy_cert(SITE, *paths(config_dir))
    plugin.renew_deploy(SimpleNamespace(lineagename=SITE))
    plugin.restart()
    assert stage.apache.methods == ["deploy_cert", "save", "restart"]
    assert responder.asked == []


# What is held


def saved(plugin: Any, config_dir: ConfigDir, lineage: Any) -> str:
    """Does what Certbot does once a certificate was issued, up to the installers' turn."""
    hooks.pre_hook(plugin.config)
    cert, chain = (config_dir.archive(SITE, kind, 1).read_bytes() for kind in ("cert", "chain"))
    number = lineage.save_successor(1, cert, None, chain, plugin.config)
    lineage.update_all_links_to(number)
    live = os.path.dirname(config_dir.live(SITE, "cert"))
    names: Any = [SITE]
    getattr(hooks, "renew_hook", hooks.deploy_hook)(plugin.config, names, live)
    return live


def test_a_renewal_is_held_until_it_is_good(
    stage: Stage, config_dir: ConfigDir, responder: OcspResponder, tmp_path: Path
) -> None:
    log = tmp_path / "hooks"
    deploys = {"renew_hook": f"readlink {config_dir.live(SITE, 'cert')} >> {log}"}
    config_dir.add(SITE, responder=responder.url, **{**OURS, **deploys})
    plugin = stage.renewing()
    plugin.prepare()
    plugin.config.run_deploy_hooks = True
    lineage = storage.RenewableCert(str(config_dir.conf(SITE)), plugin.config)
    saved(plugin, config_dir, lineage)
    assert linked(config_dir, SITE) == version(1)
    assert Store(str(config_dir)).has(SITE)
    plugin.renew_deploy(SimpleNamespace(lineagename=SITE))
    plugin.restart()
    assert not log.exists()
    assert stage.apache.told == [("prepare",)]
    assert responder.asked == []
    hooks.run_saved_post_hooks(*NO_SANS)
    assert linked(config_dir, SITE) == version(2)
    assert log.read_text().endswith("cert2.pem\n")
    assert stage.apache.methods[-1] == "restart"
    assert responder.asked
    assert not Store(str(config_dir)).has(SITE)


def test_a_command_releases_on_the_spot_and_does_not_reload_twice(
    stage: Stage, config_dir: ConfigDir, responder: OcspResponder
) -> None:
    config_dir.add(SITE, responder=responder.url, **OURS)
    plugin = stage.command("certonly", "-i", NAME, *LINE, "--force-renewal")
    plugin.prepare()
    lineage = storage.RenewableCert(str(config_dir.conf(SITE)), plugin.config)
    saved(plugin, config_dir, lineage)
    assert linked(config_dir, SITE) == version(2)
    told = list(stage.apache.told)
    assert told.count(("restart",)) == 1
    plugin.restart()
    assert stage.apache.told == told


def test_what_an_earlier_run_left_is_put_into_service_first(
    stage: Stage, config_dir: ConfigDir, responder: OcspResponder
) -> None:
    config_dir.add(SITE, versions=(1, 2), responder=responder.url, **OURS)
    config_dir.link(SITE, 1)
    Store(str(config_dir)).save(Record(SITE, in_service=1, held=2, reload=True))
    plugin = stage.command("certonly", *LINE)
    plugin.prepare()
    assert linked(config_dir, SITE) == version(2)
    assert ("restart",) in stage.apache.told


@pytest.mark.parametrize("verb", ["run", "certonly"])
def test_a_lineage_of_the_manual_is_taken_over(
    stage: Stage, config_dir: ConfigDir, verb: str
) -> None:
    config_dir.add(SITE, authenticator="nginx", installer="nginx")
    plugin = stage.command(verb, *LINE)
    before = config_dir.conf(SITE).read_bytes()
    plugin.prepare()
    params = files.read(str(config_dir.conf(SITE))).params
    assert (params["authenticator"], params["installer"]) == (NAME, NAME)  # `certonly` keeps it
    assert params[INSTALLER] == "nginx"
    assert params.get(AUTHENTICATOR, "nginx") in ("nginx", "apache")
    (told,) = [text for text in stage.said if "renewed by" in text]
    backup = Path(told.rpartition(" is ")[2].rstrip("."))
    assert backup.read_bytes() == before
    plugin.prepare()  # once
    assert len([text for text in stage.said if "renewed by" in text]) == 1


def test_a_lineage_that_is_the_plugins_already_is_not_taken_over(
    stage: Stage, config_dir: ConfigDir
) -> None:
    config_dir.add(SITE)
    plugin = stage.command("certonly", *LINE)
    stage.command("certonly", *LINE).prepare()  # another run, meanwhile
    before = config_dir.conf(SITE).read_bytes()
    stage.said.clear()
    door.current.enter().decision.taken_over = files.read(str(config_dir.conf(SITE)))
    plugin.prepare()
    assert config_dir.conf(SITE).read_bytes() == before
    assert stage.said == []


def test_with_a_certbot_that_cannot_be_intercepted_each_reload_waits(
    stage: Stage,
    config_dir: ConfigDir,
    responder: OcspResponder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(hooks, "run_saved_post_hooks")
    lineage = config_dir.add(SITE, responder=responder.url, **OURS)
    serial = lineage.certificate().serial_number
    for verb in ("renew", "certonly"):
        plugin = stage.renewing() if verb == "renew" else stage.command(verb, "-i", NAME, *LINE)
        config_dir.archive(SITE, "cert", 1).touch()
        plugin.restart()  # what was saved just now is waited for
        assert stage.apache.methods.pop() == "restart"
        assert responder.asked.pop() == serial
    plugin = stage.renewing()
    plugin.renew_deploy(SimpleNamespace(lineagename=SITE))
    assert responder.asked.pop() == serial
    responder.says[serial] = "revoked"
    with pytest.raises(CertificateRevoked, match=SITE):
        stage.renewing().renew_deploy(SimpleNamespace(lineagename=SITE))


# Commands


def test_a_reload_after_which_nothing_answers_fails(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = stage.command("run", *LINE)

    def reload(_turn: Any, reload: Any) -> None:
        reload()
        raise HoldingError("nothing answers")

    monkeypatch.setattr("certbot_jprs.holding.watched.reload", reload)
    with pytest.raises(errors.PluginError, match="nothing answers"):
        plugin.restart()
    assert stage.apache.methods == ["restart"]


def test_a_rehearsal_is_all_that_happens(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    rehearsed: list[tuple[Any, ...]] = []

    def rehearse(*given: Any) -> int:
        rehearsed.append(given)
        return 1

    monkeypatch.setattr(rehearsal, "run", rehearse)
    plugin = stage.command("certonly", *LINE, "--jprs-check")
    with pytest.raises(SystemExit) as ended:
        plugin.prepare()
    assert ended.value.code == 1
    ((config, decision, _workers),) = rehearsed
    assert config is plugin.config
    assert decision is door.current.enter().decision
    assert stage.servers == {}


@pytest.mark.parametrize(("verb", "remembers"), [("certonly", True), ("install", False)])
def test_the_language_is_remembered_where_a_certificate_is_issued(
    stage: Stage, config_dir: ConfigDir, verb: str, remembers: bool
) -> None:
    config_dir.add(SITE, **OURS)
    words = LINE if verb == "certonly" else ("-n", *FLAG, "--cert-name", SITE)
    door_language = options.LANGUAGE
    plugin = stage.command(verb, *words)
    assert getattr(plugin.config, door_language) is None
    language.start("en")  # as by the locale
    plugin = Configurator(plugin.config, NAME)
    assert getattr(plugin.config, door_language) == ("en" if remembers else None)


def test_where_the_parser_could_not_be_reached_errors_are_explained_all_the_same(
    stage: Stage, parse: Parse, caplog: pytest.LogCaptureFixture
) -> None:
    config = parse("certonly", "-n", *CONTACT, "-d", SITE).config
    forget()
    config.authenticator = NAME
    Configurator(config, NAME)
    error = messages.Error.from_json(
        {"type": messages.ERROR_PREFIX + "caa", "detail": "CAA records forbid the CA from issuing"}
    )
    with caplog.at_level(logging.DEBUG):
        told_of(error, error.detail)
    assert "does not allow JPRS to issue" in caplog.text
