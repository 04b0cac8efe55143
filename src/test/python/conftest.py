import faulthandler
import os
from pathlib import Path

import pytest

# Processes that the tests start also need the modules in this directory.
os.environ["PYTHONPATH"] = str(Path(__file__).parent)
# gRPC makes each fork wait for its threads, and sometimes forever. The tests need no such support: they only fork to exec.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"

TIMEOUT = 180


def pytest_configure(config):
    # pytest captures standard error during a test, and would not print it after such an exit.
    config.real_stderr = os.dup(2)


@pytest.fixture(autouse=True)
def time_limit(request):
    """A test that hangs ends the run and prints a stack trace."""
    faulthandler.dump_traceback_later(TIMEOUT, exit=True, file=request.config.real_stderr)
    yield
    faulthandler.cancel_dump_traceback_later()
