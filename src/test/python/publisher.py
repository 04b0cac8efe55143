"""Runs scripts/publish in separate processes without loading boto3 for each."""
import contextlib
import importlib.machinery
import importlib.util
import io
import multiprocessing
import os
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[3] / "scripts" / "publish"
loader = importlib.machinery.SourceFileLoader("publish", str(SCRIPT))
publish = importlib.util.module_from_spec(importlib.util.spec_from_loader("publish", loader))
loader.exec_module(publish)


def run(root, args, environment, results):
    os.environ.update(environment)
    publish.ROOT = root
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = publish.main(args)
    results.send((out.getvalue(), err.getvalue()))
    sys.exit(status)


class Publisher:
    """A run of scripts/publish, which starts at construction."""

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["publisher"])

    def __init__(self, root, args, environment):
        self.receiver, sender = self.context.Pipe(duplex=False)
        self.process = self.context.Process(target=run, args=(root, [str(a) for a in args], environment, sender), daemon=True)
        self.process.start()
        sender.close()
        self.out = self.err = ""

    def pid(self):
        return self.process.pid

    def end(self):
        """Waits for the process and returns its exit status, negative if it was killed."""
        with contextlib.suppress(EOFError):
            self.out, self.err = self.receiver.recv()
        self.process.join(60)
        return self.process.exitcode
