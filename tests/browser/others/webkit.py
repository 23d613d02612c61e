"""WebKit as Debian builds it: WebKitGTK's MiniBrowser, driven by WebKitWebDriver, on a screen that nobody sees."""

import os
import subprocess
from pathlib import Path
from typing import Any

from selenium.common import WebDriverException
from selenium.webdriver import WebKitGTK
from selenium.webdriver.common.by import By
from selenium.webdriver.webkitgtk.options import Options
from selenium.webdriver.webkitgtk.service import Service

from tests.browser.desk import TELL_VIOLATIONS
from tests.browser.others.tab import Changing, Tab

MINI_BROWSER = "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser"
ANSWERS_WITHIN_S = 30.0
SMALL = "* { min-width: 0; padding: 0; font-size: 1px; }"  # else its own buttons make it wider than a phone

# This driver tells nothing of a console, and runs nothing before a page's own scripts. So each page is told to keep its
# complaints with the first question that it is asked.
_LISTEN = f"""
if (!window.complaints) {{
  window.complaints = [];
  const complain = console.error;
  console.error = (...words) => complaints.push(words.join(" ")) && complain(...words);
  addEventListener("error", ({{ message }}) => complaints.push(message));
  addEventListener("unhandledrejection", ({{ reason }}) => complaints.push(String(reason)));
  {TELL_VIOLATIONS}
}}
"""


class WebKit:
    """Each window is a process of its own, in automation mode, which keeps nothing."""

    name = "webkit"

    def __init__(self, driver_path: str, xvfb_path: str, folder: Path) -> None:
        self._driver_path = driver_path
        self._folder = folder
        told, tell = os.pipe()
        command = [xvfb_path, "-displayfd", str(tell), "-screen", "0", "2400x1400x24", "-nolisten", "tcp"]
        with (folder / "screen").open("wb") as log:
            self._screen = subprocess.Popen(command, stdout=log, stderr=log, pass_fds=[tell])
        os.close(tell)
        with os.fdopen(told) as line:
            self._display = f":{line.readline().strip()}"
        (folder / "gtk-3.0").mkdir()
        (folder / "gtk-3.0/gtk.css").write_text(SMALL)

    def open(self, width: int, height: int) -> "WebKitWindow":
        environment = os.environ | {
            "DISPLAY": self._display,
            "GDK_BACKEND": "x11",
            "LANG": "en_GB.UTF-8",  # it tells pages that it speaks "C" else, which is no language
            "XDG_CONFIG_HOME": str(self._folder),
            "NO_AT_BRIDGE": "1",
            "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1",  # as root there is none; the pages are our own
            "LIBGL_ALWAYS_SOFTWARE": "1",
        }
        options = Options()
        options.binary_location = MINI_BROWSER
        options.add_argument("--automation")
        service = Service(self._driver_path, log_output=str(self._folder / "log"), env=environment)
        return WebKitWindow(WebKitGTK(options, service), width, height)

    def close(self) -> None:
        self._screen.terminate()
        self._screen.wait(ANSWERS_WITHIN_S)


class WebKitWindow:
    def __init__(self, driver: WebKitGTK, width: int, height: int) -> None:
        self._driver = driver
        self._tabs: list[WebKitTab] = []
        driver.set_script_timeout(ANSWERS_WITHIN_S)
        driver.set_window_size(width, height)
        inner_width, inner_height = driver.execute_script("return [innerWidth, innerHeight]")
        driver.set_window_size(2 * width - inner_width, 2 * height - inner_height)

    def new_tab(self) -> Tab:
        if self._tabs:
            self._driver.switch_to.new_window("tab")
        self._tabs.append(WebKitTab(self._driver))
        return self._tabs[-1]

    def problems(self) -> list[str]:
        return [complaint for tab in self._tabs for complaint in tab.complaints()]

    def close(self) -> None:
        self._driver.quit()


class WebKitTab(Tab):
    def __init__(self, driver: WebKitGTK) -> None:
        self._driver = driver
        self._handle = driver.current_window_handle
        self._complaints: list[str] = []

    def go(self, url: str) -> None:
        self._complaints = self.complaints()
        self._here().get(url)

    def ask(self, expression: str) -> Any:
        try:
            return self._here().execute_script(f"{_LISTEN}; return (async () => (await ({expression})) ?? null)()")
        except WebDriverException as problem:
            raise Changing(problem.msg) from problem

    def press(self, css: str) -> None:
        self._here().find_element(By.CSS_SELECTOR, css).click()

    def write(self, css: str, text: str) -> None:
        self._here().find_element(By.CSS_SELECTOR, css).send_keys(text)

    def shoot(self, file: Path) -> None:
        self._here().save_screenshot(str(file))

    def complaints(self) -> list[str]:
        """Of the pages that this tab was sent to, but for those that it left by itself."""
        return self._complaints + list(self.ask("window.complaints"))

    def _here(self) -> WebKitGTK:
        if self._driver.current_window_handle != self._handle:
            self._driver.switch_to.window(self._handle)
        return self._driver
