"""The output on a terminal: the commands run on a pseudo-terminal, and an emulator keeps the screen."""
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
from pathlib import Path

import pyte
import pytest

from main_job import MainServer, send, until

PROGRAM = Path(__file__).parents[3] / "target" / "echopost"
COLUMNS, LINES = 100, 30


class OnTerminal:
    """A command on a terminal. It leads its session, so it receives the terminal's signals."""

    def __init__(self, *args, **environment):
        self.screen = pyte.Screen(COLUMNS, LINES)
        self.raw = b""
        stream = pyte.ByteStream(self.screen)
        self.side, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        self.process = subprocess.Popen(
            [PROGRAM, *args], stdin=inner, stdout=inner, stderr=inner, start_new_session=True,
            preexec_fn=self.take_terminal, env={**os.environ, "TERM": "xterm", **environment})
        os.close(inner)

        def read():
            while True:
                try:
                    data = os.read(self.side, 65536)
                except OSError:
                    return  # The last process on the terminal has exited.
                self.raw += data
                stream.feed(data)

        self.reader = threading.Thread(target=read, daemon=True)
        self.reader.start()

    @staticmethod
    def take_terminal():
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        # Ignored by default if a shell started the tests in the background.
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    def text(self):
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip()

    def shows(self, pattern):
        until(lambda: re.search(pattern, self.text(), re.MULTILINE), f"{pattern} on the screen")

    def type(self, keys):
        os.write(self.side, keys.encode())

    def end(self):
        status = self.process.wait(timeout=60)
        self.reader.join(timeout=10)
        return status


@pytest.fixture
def agent(tmp_path):
    """An agent with three pending records."""
    server = MainServer()
    process = subprocess.Popen(
        [PROGRAM, "-datanadhi", tmp_path, "-health-url", server.url], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    send(tmp_path / "data-nadhi-agent.sock", range(3))
    process.main_server, process.directory = server, tmp_path
    yield process
    process.terminate()
    process.communicate(timeout=60)


def test_watch_redraws_in_place_and_ends_with_the_interrupt_key(agent):
    watch = OnTerminal("status", "-watch", "-datanadhi", str(agent.directory))
    watch.shows(r"^pending +3 records")
    send(agent.directory / "data-nadhi-agent.sock", range(3, 1000))
    watch.shows(r"^pending +1000 records")
    agent.main_server.up = True
    agent.wait(timeout=60)
    watch.shows(r"^agent +not running")
    # Lines that became shorter are cleared completely, and the screen has not scrolled.
    assert [line.split()[0] for line in watch.text().splitlines()] == [
        "agent", "server", "pending", "rejected", "rates", "drained", "disk", "ledger"]
    assert re.search(r"^pending +nothing$", watch.text(), re.MULTILINE), watch.text()
    assert watch.raw.count(b"\x1b[2J") == 1
    watch.type("\x03")
    assert watch.end() == 130


def test_watch_ends_when_the_terminal_is_closed(agent):
    watch = OnTerminal("status", "-watch", "-datanadhi", str(agent.directory))
    watch.shows(r"^pending +3 records")
    os.close(watch.side)
    assert watch.process.wait(timeout=60) == 129


@pytest.mark.parametrize("environment, coloured", [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_colours_are_used_only_on_terminals_that_support_them(agent, environment, coloured):
    status = OnTerminal("status", "-datanadhi", str(agent.directory), **environment)
    assert status.end() == 0
    assert re.search(r"^pending +3 records", status.text(), re.MULTILINE), status.text()
    assert (b"\x1b[" in status.raw) == coloured


def test_deleting_records_needs_a_confirmation(agent):
    agent.main_server.status_for_records = 422
    agent.main_server.up = True
    assert agent.wait(timeout=60) == 5
    for reply, outcome in (("n", "nothing was deleted"), ("", "nothing was deleted"), ("y", "3 records deleted permanently")):
        discard = OnTerminal("rejected", "-discard", "-all", "-datanadhi", str(agent.directory))
        discard.shows(r"^Delete 3 records permanently\? \[y/N\]")
        discard.type(reply + "\n")
        assert discard.end() == 0
        assert discard.text().endswith(outcome), discard.text()
