"""What visitors see with Debian's Firefox: with the plugin the page, and without it not."""

from __future__ import annotations

import pytest

from tests.browser import scenes
from tests.browser.firefox import Firefox, Page
from tests.browser.scenes import RENEW, URL, reloading, told
from tests.lab import World
from tests.lab.measure import NAME, by_hand, by_plugin

UNKNOWN = "SEC_ERROR_OCSP_UNKNOWN_CERT"
ASKS = "security.OCSP.enabled"


def is_the_page(page: Page, serial: int) -> bool:
    """Tells whether a visitor has the site before him, by a certificate."""
    return page.uri == URL and NAME in page.text and not page.error and page.serial == serial


def is_a_dead_end(page: Page) -> bool:
    """Tells whether a visitor has an error page before him that cannot be clicked away.

    Those that can are ``about:certerror``. From Firefox 153 on there is no button at all.
    """
    return page.uri.startswith("about:neterror?") and page.buttons in {(), ("Try Again",)}


def test_a_certificate_that_went_into_service_too_early_is_an_error_page(world: World) -> None:
    scenes.early(world)
    with Firefox(world) as firefox:
        page = firefox.open(URL)
        assert page.error == UNKNOWN
        assert page.heading == "Secure Connection Failed"
        assert is_a_dead_end(page)
    assert set(told(world)) == {"unknown"}
    assert world.served(NAME).staple is None


def test_one_that_the_plugin_put_into_service_is_the_page(world: World) -> None:
    with Firefox(world) as firefox:  # which is there before, and looks at once
        scenes.deployed(world)
        assert is_the_page(firefox.open(URL), world.jprs.issued[-1].serial)
    assert set(told(world)) == {"good"}


def test_it_is_the_lag_that_makes_the_difference(world: World) -> None:
    scenes.site(world)
    by_hand(world)
    with Firefox(world) as firefox:
        assert is_the_page(firefox.open(URL), world.jprs.issued[-1].serial)


def test_firefox_asks_by_itself_and_the_error_is_the_answer_to_that(world: World) -> None:
    scenes.early(world)
    with Firefox(world) as firefox:
        assert firefox.setting(ASKS) == 1
    with Firefox(world, settings={ASKS: 0}) as firefox:
        assert is_the_page(firefox.open(URL), world.jprs.issued[-1].serial)
    assert told(world) == []


def test_a_stapled_unknown_is_an_error_page_still_when_ocsp_knows_better(world: World) -> None:
    scenes.stapled_early(world)
    with Firefox(world) as firefox:
        page = firefox.open(URL)
        assert page.error == UNKNOWN
        assert is_a_dead_end(page)
    assert world.served(NAME).staple == "unknown"
    assert world.ocsp.decide(world.jprs.issued[-1], page.time) == "good"
    assert told(world) == []


def test_unauthorized_instead_of_unknown_is_forgiven_unless_it_is_stapled(world: World) -> None:
    # What a responder may say of a certificate that it does not know yet (RFC 5019, section 2.2.3).
    world.ocsp.early = "unauthorized"
    scenes.early(world)
    with Firefox(world) as firefox:
        assert is_the_page(firefox.open(URL), world.jprs.issued[-1].serial)
        assert set(told(world)) == {"unauthorized"}
        world.apache.staple()
        world.apache.graceful()
        assert world.served(NAME).staple == "unauthorized"
        page = firefox.reload()
        assert page.error == "SEC_ERROR_OCSP_UNAUTHORIZED_REQUEST"
        assert is_a_dead_end(page)


def test_with_the_plugin_good_is_stapled_and_the_page_is_there(world: World) -> None:
    with Firefox(world) as firefox:
        scenes.stapled(world)
        assert is_the_page(firefox.open(URL), world.jprs.issued[-1].serial)
    assert world.served(NAME).staple == "good"
    assert told(world) == []


@pytest.mark.parametrize("stapling", [False, True], ids=["plain", "stapling"])
def test_visitors_who_reload_all_the_while_never_see_an_error_page(
    world: World, *, stapling: bool
) -> None:
    scenes.site(world, stapling=stapling)
    by_plugin(world, *scenes.INTERVAL)
    scenes.slow(world)
    with Firefox(world) as firefox:
        pages = [firefox.open(URL), *reloading(firefox, world.spawn_certbot(*RENEW))]
    assert [page.error for page in pages if page.error] == []
    assert {page.serial for page in pages} == {issued.serial for issued in world.jprs.issued}
    assert len(world.jprs.issued) == 2


def test_without_the_plugin_they_do(world: World) -> None:
    scenes.site(world)
    by_hand(world)
    scenes.slow(world, scenes.NEVER)
    with Firefox(world) as firefox:
        pages = [firefox.open(URL), *reloading(firefox, world.spawn_certbot(*RENEW))]
    assert not pages[0].error
    assert {page.error for page in pages} == {"", UNKNOWN}
    assert pages[-1].error == UNKNOWN
