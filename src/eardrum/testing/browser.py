"""Chromium without a window, led by its debugging pipe: it opens pages, answers about them, takes pictures."""

from __future__ import annotations

import base64
import itertools
import json
import os
import select
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from eardrum.testing.servers import Stage

FLAGS = (
    "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update"
    " --disable-sync --disable-dev-shm-usage --hide-scrollbars --remote-debugging-pipe"
)
PATIENCE = 60.0  # seconds for one answer or page
# Chromium reads commands from descriptor 3 and writes to 4, each JSON with a null byte behind it.
ON_ITS_DESCRIPTORS = 'exec 3<&"$0" 4>&"$1"; shift; exec "$@"'

Said = dict[str, Any]


class Browser:
    """One tab. `requests` are the addresses it asked for, `errors` what it complained of, since the last `show`."""

    def __init__(
        self, stage: Stage, flags: Sequence[str] = (), within: Callable[[list[str]], list[str]] = lambda argv: argv
    ) -> None:
        """Start it on `stage`, which ends it, with these flags too; `within` puts its command line into another."""
        theirs, self._commands = os.pipe()
        self._answers, theirs_too = os.pipe()
        profile = stage.make_directory("chromium-profile")
        argv = within(["chromium", *FLAGS.split(), *flags, f"--user-data-dir={profile}", "about:blank"])
        argv = ["bash", "-c", ON_ITS_DESCRIPTORS, str(theirs), str(theirs_too), *argv]
        stage.start("browser", argv, pass_fds=(theirs, theirs_too))
        os.close(theirs)
        os.close(theirs_too)
        self._numbers = itertools.count(1)
        self._heard = b""
        self._session = ""
        self.requests: list[str] = []
        self.errors: list[str] = []
        self._attach()

    def close(self) -> None:
        """Let go of the pipe; Chromium ends by that."""
        os.close(self._commands)
        os.close(self._answers)

    def show(self, address: str) -> None:
        """Open a page and wait until all of it is loaded."""
        self.requests.clear()
        self.errors.clear()
        self.tell("Page.navigate", url=address)
        self._hear(lambda said: said.get("method") == "Page.loadEventFired")

    def value(self, expression: str) -> Any:
        """What a line of JavaScript gives on the page that is shown. RuntimeError if it fails."""
        answer = self.tell("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def look(self, width: int, height: int, dark: bool = False) -> None:
        """Have a window of this size in CSS pixels, for who likes light or dark."""
        self.tell("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.tell("Emulation.setEmulatedMedia", features=[scheme])

    def picture(self, file: Path) -> None:
        """Write what the window shows as PNG."""
        file.write_bytes(base64.b64decode(self.tell("Page.captureScreenshot")["data"]))

    def tell(self, method: str, **parameters: Any) -> Said:
        """Say a command of Chromium's debugging protocol and return its result. RuntimeError if it is refused."""
        number = next(self._numbers)
        session = {"sessionId": self._session} if self._session else {}
        command = json.dumps({"id": number, "method": method, "params": parameters, **session})
        os.write(self._commands, command.encode() + b"\0")
        answer = self._hear(lambda said: said.get("id") == number)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        result: Said = answer["result"]
        return result

    def _attach(self) -> None:
        target = self.tell("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.tell("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.tell(f"{domain}.enable")

    def _hear(self, wanted: Callable[[Said], bool]) -> Said:
        end = time.monotonic() + PATIENCE
        while True:
            said, whole, rest = self._heard.partition(b"\0")
            if whole:
                self._heard = rest
                message: Said = json.loads(said)
                self._note(message)
                if wanted(message):
                    return message
            elif not select.select([self._answers], [], [], max(0.0, end - time.monotonic()))[0]:
                raise TimeoutError(f"Chromium says nothing for {PATIENCE:g} s")
            elif data := os.read(self._answers, 1 << 20):
                self._heard += data
            else:
                raise RuntimeError("Chromium has ended")

    def _note(self, said: Said) -> None:
        match said:
            case {"method": "Network.requestWillBeSent", "params": {"request": {"url": address}}}:
                self.requests.append(address)
            case {"method": "Network.loadingFailed", "params": {"errorText": text}}:
                self.errors.append(f"loading failed: {text}")
            case {"method": "Runtime.exceptionThrown", "params": {"exceptionDetails": details}}:
                self.errors.append(f"exception: {details}")
            case {"method": "Runtime.consoleAPICalled", "params": {"type": "error" | "warning", "args": words}}:
                self.errors.append(f"console: {words}")
            case {"method": "Log.entryAdded", "params": {"entry": {"level": "error" | "warning", "text": text}}}:
                self.errors.append(f"log: {text}")
