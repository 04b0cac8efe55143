import faulthandler
import os
from pathlib import Path

import pytest

# Processes that the tests start find the modules here too.
os.environ["PYTHONPATH"] = str(Path(__file__).parent)
# gRPC would have each fork wait for its own threads, and has been seen to wait for ever: nothing here forks without an exec.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"

PATIENCE = 180


def pytest_configure(config):
    # What is written to standard error in a test is kept by pytest, which is not asked any more at such an end.
    config.real_stderr = os.dup(2)


@pytest.fixture(autouse=True)
def ends(request):
    """Whatever hangs ends the run, and is seen."""
    faulthandler.dump_traceback_later(PATIENCE, exit=True, file=request.config.real_stderr)
    yield
    faulthandler.cancel_dump_traceback_later()
