"""What the documents claim about speed and cost, measured against named peers in one run.

Nothing here is a timed test: machines differ, and small ones are noisy. Every figure of speed is a
ratio of two medians that were measured alternately.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# The package lives where the layer is built from.
sys.path.insert(0, str(ROOT / "layers" / "common"))
