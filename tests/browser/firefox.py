"""Debian's Firefox, as a visitor of the lab's web server."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.serialization import Encoding

from tests.browser.marionette import Marionette, Refused
from tests.lab import Running, World

COMMAND = "firefox-esr"
AGENT = "Firefox/"
"""How it names itself to the OCSP responder."""
PORT = 2828
START = 90  # seconds, on a busy machine
WRITTEN = 60  # seconds until an error page has its words
SIZE = (880, 560)
CODE = re.compile(r"\b[A-Z]+_ERROR_[A-Z_]+\b")
ENGLISH, JAPANESE = "en-US", "ja"

TRUST = """
Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB)
    .addCertFromBase64(arguments[0], "C,,");
"""
SERIAL = """
const security = gBrowser.selectedBrowser.securityUI.secInfo;
return security?.serverCert?.serialNumber ?? "";
"""
# From Firefox 153 on, error pages are made of elements with a shadow, and written a little later.
PAGE = """
const all = root => [...root.querySelectorAll("*")].flatMap(
    each => each.shadowRoot ? [each, ...all(each.shadowRoot)] : [each]);
const shown = all(document).filter(each => each.checkVisibility());
const roots = [document.body, ...shown.flatMap(each => [...each.shadowRoot?.children ?? []])];
return {
    uri: document.documentURI,
    text: roots.map(each => each.innerText).join("\\n"),
    buttons: shown.filter(each => each.tagName === "BUTTON").map(each => each.innerText.trim()),
};
"""
SETTING = "return Services.prefs.getIntPref(arguments[0]);"


@dataclass(frozen=True)
class Page:
    """What a visitor has before him.

    Attributes:
        time: when it was there.
        uri: of the document; an error page's begins with ``about:``.
        text: of the page.
        buttons: what can be clicked on an error page.
        serial: of the certificate, where the page came by HTTPS; 0 on an error page.
    """

    time: float
    uri: str
    text: str
    buttons: tuple[str, ...]
    serial: int

    @property
    def error(self) -> str:
        """The code that an error page gives, as ``SEC_ERROR_OCSP_UNKNOWN_CERT``; or nothing."""
        if not self.uri.startswith("about:"):
            return ""
        found = CODE.search(self.text)
        return found[0] if found else self.uri

    @property
    def heading(self) -> str:
        """The first line of the page."""
        return self.text.strip().partition("\n")[0]


class Firefox:
    """One Firefox with a new profile."""

    def __init__(
        self,
        world: World,
        language: str = ENGLISH,
        settings: Mapping[str, object] | None = None,
        command: str = COMMAND,
    ) -> None:
        """Starts it.

        Args:
            world: where.
            language: of its windows: ``ENGLISH``, ``JAPANESE``.
            settings: other than its own, by name.
            command: another Firefox.
        """
        self._world = world
        profile = f"/run/home/{language}"
        wanted = {"intl.locale.requested": language, **(settings or {})}
        lines = [f"user_pref({json.dumps(each)}, {json.dumps(wanted[each])});" for each in wanted]
        world.write(f"{profile}/user.js", "\n".join(lines) + "\n")
        argv = [command, "--headless", "--no-remote", "--profile", profile]
        argv += ["--marionette", "--remote-allow-system-access"]
        width, height = SIZE
        size = {"MOZ_HEADLESS_WIDTH": f"{width}", "MOZ_HEADLESS_HEIGHT": f"{height}"}
        env = world.environment({**size, "MOZ_CRASHREPORTER_DISABLE": "1"})
        self._running = Running(world.namespace, argv, env, network="ca")
        world.history.append(self._running)
        self._marionette = self._connected()
        session = self._marionette.ask("WebDriver:NewSession")
        assert isinstance(session, dict)
        self.version: str = session["capabilities"]["browserVersion"]
        root = world.jprs.backend().root
        self._trust(base64.b64encode(root.public_bytes(Encoding.DER)).decode())

    def _connected(self) -> Marionette:
        deadline = time.monotonic() + START
        while True:
            with contextlib.suppress(OSError):
                connected = self._world.namespace.connect("ca", ("127.0.0.1", PORT), START)
                return Marionette(connected)
            ended = self._running.process.poll() is not None
            assert not ended, self._running.output
            assert time.monotonic() < deadline, self._running.output
            time.sleep(0.1)

    @contextlib.contextmanager
    def _chrome(self) -> Iterator[None]:
        """Turns to the browser's own window, not the page in it."""
        self._marionette.ask("Marionette:SetContext", value="chrome")
        yield
        self._marionette.ask("Marionette:SetContext", value="content")

    def _script(self, script: str, *arguments: object) -> object:
        return self._marionette.ask("WebDriver:ExecuteScript", script=script, args=arguments)

    def _trust(self, root: str) -> None:
        with self._chrome():
            self._script(TRUST, root)

    def setting(self, name: str) -> int:
        """Returns one of its settings, a number, as it is in force."""
        with self._chrome():
            found = self._script(SETTING, name)
        assert isinstance(found, int)
        return found

    def open(self, url: str) -> Page:
        """Goes to a page, and returns what is shown."""
        with contextlib.suppress(Refused):  # it refuses to call an error page the page
            self._marionette.ask("WebDriver:Navigate", url=url)
        return self._page()

    def reload(self) -> Page:
        """Asks for the page again, and returns what is shown."""
        with contextlib.suppress(Refused):
            self._marionette.ask("WebDriver:Refresh")
        return self._page()

    def _page(self) -> Page:
        deadline = time.monotonic() + WRITTEN
        while True:
            shown = self._script(PAGE)
            assert isinstance(shown, dict)
            written = CODE.search(shown["text"]) or not shown["uri"].startswith("about:")
            if written or time.monotonic() > deadline:
                break
            time.sleep(0.1)
        at = time.time()
        with self._chrome():
            serial = self._script(SERIAL)
        return Page(
            at,
            shown["uri"],
            shown["text"],
            tuple(shown["buttons"]),
            int(str(serial).replace(":", "") or "0", 16),
        )

    def picture(self) -> bytes:
        """Returns a picture of its whole window, as PNG."""
        with self._chrome():
            taken = self._marionette.ask("WebDriver:TakeScreenshot", full=False)
        return base64.b64decode(str(taken))

    def close(self) -> None:
        """Ends it."""
        self._marionette.close()
        self._running.kill()

    def __enter__(self) -> Firefox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
