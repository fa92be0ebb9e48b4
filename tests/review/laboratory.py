"""JupyterLab on loopback as its own process, and its page driven through its own commands."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from chromium import Browser

#: The desk inside the widget's shadow root.
DESK = "document.querySelector('.gm-notebook')?.shadowRoot"


class Laboratory:
    """``jupyter lab`` in a folder of its own, asking nothing of the network."""

    def __init__(self, folder: Path, notebook: Path) -> None:
        shutil.copy(notebook, folder / notebook.name)
        self.notebook, self.port, token = notebook.name, free_port(), secrets.token_hex(16)
        self.origin = f"http://127.0.0.1:{self.port}"
        self.url = f"{self.origin}/lab/tree/{notebook.name}?token={token}"
        home = folder / "home"
        home.mkdir()
        private = {"HOME": str(home), "JUPYTER_CONFIG_DIR": str(home), "PYTHONWARNINGS": ""}
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root",
                "--ip=127.0.0.1", f"--port={self.port}", f"--IdentityProvider.token={token}",
                "--LabApp.expose_app_in_browser=True", "--LabApp.news_url=None",
                "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
                f"--ServerApp.root_dir={folder}",
            ],
            env={**os.environ, **private}, cwd=folder, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._await()

    def _await(self, seconds: float = 90.0) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert self.process.poll() is None, "jupyter lab ended"
            try:
                urllib.request.urlopen(f"{self.origin}/api", timeout=5).close()
            except (urllib.error.URLError, TimeoutError):
                time.sleep(0.2)
            else:
                return
        raise AssertionError("jupyter lab does not answer")

    def close(self) -> None:
        """End it with its kernels."""
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(30)

    def __enter__(self) -> Laboratory:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def free_port() -> int:
    """A port of loopback that nobody has at this moment."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


#: The notebook's panel in JupyterLab's shell.
_PANEL = "[...(window.jupyterapp?.shell.widgets('main') ?? [])].find((w) => w.sessionContext)"


def open_notebook(browser: Browser, lab: Laboratory) -> None:
    """Open the notebook and wait until its kernel may run cells."""
    browser.open(lab.url)
    browser.wait(f"{_PANEL}?.sessionContext.isReady", 90)
    browser.wait("document.querySelector('.jp-Cell')", 30)
    browser.click(*browser.middle("document.querySelector('.jp-Cell')"))
    browser.wait("jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel", 30)


def run_all(browser: Browser) -> None:
    """Run every cell, as the menu does."""
    browser.run("void jupyterapp.commands.execute('notebook:run-all-cells')")


def show_cell(browser: Browser, number: int) -> None:
    """Bring a cell into view: what is far from it is not drawn."""
    browser.run(f"void {_PANEL}.content.scrollToItem({number}, 'start')")


def save(browser: Browser) -> None:
    """Save the notebook, as a person would before closing the page."""
    browser.run("jupyterapp.commands.execute('docmanager:save').then(() => true)")


def restart_kernel(browser: Browser) -> None:
    """Kill the kernel and start another, without asking."""
    browser.run(f"{_PANEL}.sessionContext.session.kernel.restart().then(() => true)")
