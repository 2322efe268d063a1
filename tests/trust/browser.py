"""A headless Chromium, spoken to over pipes: no port, no network, no driver."""

import base64
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Self

CHROMIUM = next(
    (
        found
        for name in ("chromium", "chromium-browser", "google-chrome", "chrome")
        if (found := shutil.which(name))
    ),
    None,
)


class Browser:
    """One page at a time, by the protocol of the developer tools."""

    def __init__(self) -> None:
        assert CHROMIUM is not None
        self._home = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        read, self._out = os.pipe()
        self._in, write = os.pipe()
        command = [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--no-first-run", "--remote-debugging-pipe", "--lang=en", "--window-size=1280,900",
            "--disable-background-networking", f"--user-data-dir={self._home.name}", "about:blank",
        ]  # fmt: skip
        # Chromium reads its file 3 and writes its file 4, whatever these are here.
        self._process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{read} 4>&{write}', "bash", *command],
            pass_fds=(read, write), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(read)
        os.close(write)
        self._number, self._rest = 0, b""
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        self.requests: list[str] = []
        for domain in ("Page", "Runtime", "DOM", "Network", "Log"):
            self._ask(f"{domain}.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError, AssertionError):
            self._ask("Browser.close")
        for end in (self._in, self._out):
            os.close(end)
        self._process.wait(10)
        self._home.cleanup()

    def open(self, path: Path) -> None:
        """Load a page of this computer and wait until it has verified what it holds."""
        self.requests.clear()
        self._ask("Page.navigate", url=path.as_uri())
        self.until("document.getElementById('main')?.dataset.ready === 'yes'")

    def run(self, script: str) -> Any:
        """Evaluate a script in the page."""
        told = self._ask("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def until(self, condition: str, seconds: float = 20) -> None:
        """Wait for something to be so in the page."""
        end = time.monotonic() + seconds
        while not self.run(condition):
            assert time.monotonic() < end, condition
            time.sleep(0.02)

    def drop(self, *paths: Path) -> None:
        """Choose files in the page, as a person would."""
        root = self._ask("DOM.getDocument")["root"]["nodeId"]
        node = self._ask("DOM.querySelector", nodeId=root, selector="#files")["nodeId"]
        self.run("document.getElementById('main').dataset.ready = 'no'")
        self._ask("DOM.setFileInputFiles", nodeId=node, files=[str(path) for path in paths])
        self.until("document.getElementById('main').dataset.ready === 'yes'")

    def picture(self, path: Path) -> None:
        """Take a picture of what is seen."""
        told = self._ask("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(told["data"]))

    def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        asked: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if session := getattr(self, "_session", None):
            asked["sessionId"] = session
        os.write(self._out, json.dumps(asked).encode() + b"\0")
        while True:
            told = self._read()
            if told.get("method") == "Network.requestWillBeSent":
                self.requests.append(told["params"]["request"]["url"])
            if told.get("id") == self._number:
                assert "error" not in told, told
                result: dict[str, Any] = told["result"]
                return result

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            more = os.read(self._in, 1 << 16)
            assert more, "the browser has gone"
            self._rest += more
        one, self._rest = self._rest.split(b"\0", 1)
        read: dict[str, Any] = json.loads(one)
        return read
