"""Text from messages is text in a real browser: on cards that come over the stream, in toasts, in titles."""

from playwright.sync_api import Dialog, expect

from tests.browser.desk import NewDesk, NewVisitor, card
from tests.support.alarms import alarm
from tests.support.nasty import NASTY, meant
from tests.support.server import Server


def test_whatever_an_alarm_says_stands_there_as_it_is_and_nothing_of_it_runs(
    server: Server, new_desk: NewDesk, visitor: NewVisitor
) -> None:
    page = new_desk("nurse").open()
    dialogs: list[Dialog] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog))
    before = page.evaluate("document.querySelectorAll('img, script, b[onmouseover]').length")
    beds = {word: f"MED-{n % 12 + 1:02d}" for n, word in enumerate(NASTY)}
    for number, (word, bed) in enumerate(beds.items()):
        patient = f"{number}^^^Ward^PI||{NASTY[word][0]}^^^^^^L"
        server.send(
            alarm(alert_id=f"nasty {number}", bed=f"MED^^{bed}", text=NASTY[word][0], patient=patient, priority="low")
        )
    for word, bed in beds.items():
        text = card(page, bed).locator(".text").filter(has_text=" ".join(meant(word).split())[:30])
        expect(text).not_to_have_count(0)
    for path in visitor("nurse2").alert_paths():
        visitor("nurse2").act(f"{path}/acknowledgement")
    expect(page.locator("#toasts .toast").first).to_be_visible()
    expect(page.locator("#alert-list article[data-state=open]:not([hidden])")).to_have_count(0)
    assert page.evaluate("document.querySelectorAll('img, script, b[onmouseover]').length") == before
    assert page.evaluate("typeof planted") == "undefined" and dialogs == []
