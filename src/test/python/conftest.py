import os
from pathlib import Path

# Processes that the tests start find the modules here too.
os.environ["PYTHONPATH"] = str(Path(__file__).parent)
