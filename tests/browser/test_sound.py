"""Sound: three melodies as the standard draws them, played while the state says so, by one page of a browser."""

import math
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.desk import Desk, NewDesk, NewVisitor, acknowledge_button, card, expect_live, wait_ms
from tests.support.alarms import alarm
from tests.support.server import Server

RATE_HZ = 16_000
PULSES = {"high": 10, "medium": 3, "low": 2}

# A melody as samples, with no loudspeaker and no waiting.
_RENDER = f"""
async (priority) => {{
  const {{ playMelody }} = await import("/static/js/melody.js");
  const context = new OfflineAudioContext(1, {RATE_HZ} * 5, {RATE_HZ});
  playMelody(context, priority, 1);
  return [...(await context.startRendering()).getChannelData(0)];
}}
"""
# Each pulse that a page plays from now on, by when it was begun.
_LISTEN = """
if (!window.pulses) {
  window.pulses = [];
  window.ended = 0;
  const { start } = OscillatorNode.prototype;
  OscillatorNode.prototype.start = function (...when) {
    pulses.push(performance.now());
    return start.apply(this, when);
  };
  const { disconnect } = GainNode.prototype;
  GainNode.prototype.disconnect = function () { ended++; return disconnect.apply(this); };
}
"""


def samples(page: Page, priority: str) -> list[float]:
    made: list[float] = page.evaluate(_RENDER, priority)
    return made


def pulses(samples: list[float]) -> list[tuple[float, float]]:
    """When each begins and ends, in s: where the loudness passes a tenth of the most."""
    step = RATE_HZ // 200
    loud = [max(map(abs, samples[at : at + step])) for at in range(0, len(samples), step)]
    on = [level > max(loud) / 10 for level in loud]
    begins = [at for at in range(len(on)) if on[at] and (at == 0 or not on[at - 1])]
    ends = [at for at in range(1, len(on)) if on[at - 1] and not on[at]]
    return [(begin * step / RATE_HZ, end * step / RATE_HZ) for begin, end in zip(begins, ends, strict=True)]


def level_db(samples: list[float], hz: float) -> float:
    """How much of this frequency there is (Goertzel)."""
    turn = 2 * math.pi * hz / RATE_HZ
    real = sum(value * math.cos(turn * at) for at, value in enumerate(samples))
    imaginary = sum(value * math.sin(turn * at) for at, value in enumerate(samples))
    return 20 * math.log10(math.hypot(real, imaginary) / len(samples) + 1e-12)


@pytest.fixture
def page(server: Server, new_desk: NewDesk) -> Page:
    return new_desk(None).open("/sign-in", live=False)


@pytest.mark.parametrize("priority", PULSES)
def test_each_melody_has_its_pulses_in_its_rhythm(page: Page, priority: str) -> None:
    found = pulses(samples(page, priority))
    assert len(found) == PULSES[priority]
    lengths = [end - begin for begin, end in found]
    shortest, longest = (0.075, 0.2) if priority == "high" else (0.125, 0.25)
    assert shortest <= min(lengths) and max(lengths) <= longest
    gaps = [after[0] - before[1] for before, after in zip(found, found[1:], strict=False)]
    if priority == "high":
        between, after_three, after_five = gaps[0], gaps[2], gaps[4]
        assert gaps == pytest.approx([between, between, after_three, between, after_five] + gaps[:4], abs=0.02)
        assert 0.05 <= between <= 0.13
        assert after_three == pytest.approx(2 * between + lengths[0], abs=0.03)
        assert 0.35 <= after_five <= 1.3
    else:
        assert all(0.12 <= gap <= 0.26 for gap in gaps)


@pytest.mark.parametrize("priority", PULSES)
def test_each_pulse_is_heard_through_a_door_and_by_old_ears(page: Page, priority: str) -> None:
    """A fundamental of 150 to 1000 Hz, and at least four harmonics in 300 to 4000 Hz within 15 dB."""
    made = samples(page, priority)
    for begin, end in pulses(made):
        pulse = made[int((begin + 0.03) * RATE_HZ) : int((end - 0.03) * RATE_HZ)]
        fundamental = max((523.25, 659.26), key=lambda hz: level_db(pulse, hz))
        assert 150 <= fundamental <= 1_000
        base = level_db(pulse, fundamental)
        harmonics = [fundamental * number for number in range(2, 8) if 300 <= fundamental * number <= 4_000]
        near = [hz for hz in harmonics if abs(level_db(pulse, hz) - base) <= 15]
        assert len(near) >= 4
        assert level_db(pulse, fundamental * 1.5) < base - 15, "and nothing between them"


def test_it_sounds_while_somebody_is_needed_and_stops_when_somebody_has_it(server: Server, new_desk: NewDesk) -> None:
    page = _listening(new_desk("nurse"))
    page.mouse.click(5, 5)
    expect(page.get_by_test_id("sound")).to_have_text("Sound is on")
    server.send(alarm(bed="MED^^MED-07", priority="medium"))
    page.wait_for_function("() => pulses.length === 3")
    server.send(alarm(bed="MED^^MED-02", alert_id="worse", priority="high"))
    page.wait_for_function("() => pulses.length === 13")  # at once, in the place of the lower
    acknowledge_button(page, "MED-02").click()
    page.wait_for_function("() => pulses.length === 16")
    before = page.evaluate("ended")
    acknowledge_button(page, "MED-07").click()
    page.wait_for_function("before => ended > before", arg=before)
    sounded = page.evaluate("pulses.length")
    wait_ms(page, 1_000)
    assert page.evaluate("pulses.length") == sounded


def test_a_melody_comes_again_at_its_interval(server: Server, new_desk: NewDesk) -> None:
    server.send(alarm(bed="MED^^MED-07", priority="high"))
    page = _listening(new_desk("nurse"))
    page.mouse.click(5, 5)
    page.wait_for_function("() => pulses.length === 20", timeout=25_000)
    assert 9_900 < page.evaluate("pulses[10] - pulses[0]") < 12_000


def test_what_has_gone_by_makes_no_sound_and_what_still_waits_does(server: Server, new_desk: NewDesk) -> None:
    """Neither a replay nor a page that is fetched anew: only how things stand."""
    page = _listening(new_desk("nurse"))
    page.mouse.click(5, 5)
    for _ in range(3):
        page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
        wait_ms(page, 700)
    assert page.evaluate("pulses.length") == 0
    server.send(alarm(bed="MED^^MED-07", priority="low"))
    page.wait_for_function("() => pulses.length === 2")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    wait_ms(page, 1_500)
    assert page.evaluate("pulses.length") == 2


@pytest.mark.parametrize("path", ["/patients", "/metrics", "/board"])
@pytest.mark.parametrize("priority", PULSES)
def test_every_live_page_sounds_also_for_what_waited_before_it_was_opened(
    server: Server, new_desk: NewDesk, path: str, priority: str
) -> None:
    server.send(alarm(bed="MED^^MED-07", priority=priority))
    page = _listening(new_desk("nurse"), path)
    page.keyboard.press("Shift")
    page.wait_for_function("most => pulses.length === most", arg=PULSES[priority])


def test_until_a_press_it_says_that_it_is_off(server: Server, new_desk: NewDesk) -> None:
    server.send(alarm(bed="MED^^MED-07", priority="high"))
    page = _listening(new_desk("nurse"))
    expect(page.get_by_test_id("sound")).to_have_text("Sound is off: press to arm")
    wait_ms(page, 1_000)
    assert page.evaluate("pulses.length") == 0


def test_one_page_of_a_browser_sounds_and_the_next_when_it_is_closed(server: Server, new_desk: NewDesk) -> None:
    desk = new_desk("nurse")
    pages = [_listening(desk), _listening(desk, "/patients")]
    for page in pages:
        page.mouse.click(5, 5)
        expect(page.get_by_test_id("sound")).to_have_text("Sound is on")
    server.send(alarm(bed="MED^^MED-07", priority="high"))
    pages[0].wait_for_function("() => pulses.length === 10")
    wait_ms(pages[1], 1_000)
    assert pages[1].evaluate("pulses.length") == 0
    pages[0].close()
    pages[1].wait_for_function("() => pulses.length === 10")


def test_a_pause_is_seen_on_every_page_and_a_new_high_alert_ends_it(
    server: Server, new_desk: NewDesk, visitor: NewVisitor
) -> None:
    server.send(alarm(bed="MED^^MED-07", priority="high"))
    desk = new_desk("nurse")
    page, other = _listening(desk), _listening(desk, "/patients")
    page.get_by_test_id("sound").click()  # arms it and opens what can be chosen
    page.wait_for_function("() => pulses.length === 10")
    other.mouse.click(5, 5)
    page.get_by_test_id("sound-pause").click()
    for each in (page, other):
        expect(each.get_by_test_id("sound")).to_contain_text("Sound paused 1:")
    server.send(alarm(bed="MED^^MED-02", alert_id="medium", priority="medium"))
    expect(card(page, "MED-02")).to_be_visible()
    wait_ms(page, 1_000)
    assert page.evaluate("pulses.length") == 10
    server.send(alarm(bed="MED^^MED-03", alert_id="new", priority="high"))
    page.wait_for_function("() => pulses.length === 20")
    expect(page.get_by_test_id("sound")).to_have_text("Sound is on")


def test_a_pause_ends_after_two_minutes(server: Server, new_desk: NewDesk) -> None:
    server.send(alarm(bed="MED^^MED-07", priority="high"))
    page = _with_its_own_clock(new_desk("nurse", alone=True))
    page.get_by_test_id("sound").click()
    page.get_by_test_id("sound-pause").click()
    expect(page.get_by_test_id("sound")).to_contain_text("Sound paused")
    before = page.evaluate("pulses.length")
    page.clock.run_for(110_000)
    assert page.evaluate("pulses.length") == before
    page.clock.run_for(11_000)
    assert page.evaluate("pulses.length") > before


def test_a_choice_is_kept(server: Server, new_desk: NewDesk) -> None:
    server.send(alarm(bed="MED^^MED-07", priority="high"))
    page = _listening(new_desk("nurse"))
    page.get_by_test_id("sound").click()
    page.get_by_test_id("sound-on").uncheck()
    expect(page.get_by_test_id("sound")).to_have_text("Sound is off")
    page.reload()
    page.mouse.click(5, 5)
    expect(page.get_by_test_id("sound")).to_have_text("Sound is off")
    wait_ms(page, 1_000)
    assert page.evaluate("pulses.length") == 0


def test_a_screen_that_is_not_current_sounds_after_half_a_minute(
    new_server: Callable[..., Server], new_desk: NewDesk
) -> None:
    server = new_server(HOSPITAL_BEAT_S="1")
    desk = new_desk("nurse", at=server, alone=True)
    desk.expect_problem("ERR_")
    page = _with_its_own_clock(desk)
    page.mouse.click(5, 5)
    expect(page.get_by_test_id("sound")).to_have_text("Sound is on")
    server.kill()
    page.clock.run_for(25_000)
    expect_live(page, "stale")
    assert page.evaluate("pulses.length") == 0
    page.clock.run_for(10_000)
    assert page.evaluate("pulses.length") == 3


def test_the_wall_is_armed_and_paused_by_a_press(server: Server, new_desk: NewDesk) -> None:
    server.send(alarm(bed="MED^^MED-07", priority="high"))
    wall = _listening(new_desk("nurse", viewport={"width": 1920, "height": 1080}), "/board")
    sound = wall.get_by_test_id("sound")
    expect(sound).to_have_text("Sound is off: press to arm")
    sound.click()
    wall.wait_for_function("() => pulses.length === 10")
    wait_ms(wall, 1_100)
    sound.click()
    expect(sound).to_contain_text("Sound paused 1:")


def _listening(desk: Desk, path: str = "/alerts") -> Page:
    desk.context.add_init_script(_LISTEN)
    return desk.open(path)


def _with_its_own_clock(desk: Desk) -> Page:
    desk.context.add_init_script(_LISTEN)
    page = desk.context.new_page()
    page.clock.install()
    page.goto(f"{desk.server.url}/alerts")
    expect_live(page)
    return page
