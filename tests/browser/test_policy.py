"""What breaks the content security policy, or fails in a page, fails any browser test; and the server counts it."""

from collections.abc import Callable

import pytest

from tests.browser.desk import Desk, NewDesk, violations, wait_ms
from tests.support.server import Server

BREAKS = {
    "script-src": "Object.assign(document.createElement('script'), {textContent: 'window.ran = true'})",
    "style-src": "Object.assign(document.createElement('style'), {textContent: 'body { color: red }'})",
    "img-src": "Object.assign(new Image(), {src: 'https://elsewhere.example/x.png'})",
}


@pytest.fixture
def desk(new_server: Callable[..., Server], new_desk: NewDesk) -> Desk:
    """At a server of its own: what it counts is no fault of other tests."""
    return new_desk("nurse", at=new_server(HOSPITAL_BEAT_S="1"))


def test_what_breaks_the_policy_is_not_done_fails_the_test_and_is_counted(desk: Desk) -> None:
    page = desk.open()
    assert (desk.unexpected, violations(desk.server)) == ([], set())
    for element in BREAKS.values():
        page.evaluate(f"document.body.append({element})")
    while violations(desk.server) != set(BREAKS):
        wait_ms(page, 50)

    assert page.evaluate("window.ran") is None
    for directive in BREAKS:
        assert any(f"content security policy: {directive}" in problem for problem in desk.unexpected)
    desk.expect_problem("content security policy")
    desk.expect_problem("Content Security Policy")


def test_what_fails_in_a_page_fails_the_test(desk: Desk) -> None:
    page = desk.open()
    page.evaluate("setTimeout(() => { throw new Error('planted'); })")
    page.evaluate("console.error('planted, too')")
    while len(desk.unexpected) < 2:
        wait_ms(page, 50)

    assert {problem.split(":")[0] for problem in desk.unexpected} == {"console", "page error"}
    desk.expect_problem("planted")
