"""Random worlds: many orders, several shops and markets, faults and crashes, each world judged by
the sandbox's own record.

    .venvs/dev/bin/python -m tests.worlds --worlds 2000 --seed 1 --jobs 2

`plans` makes worlds up, `play` plays them, `judge` says what is wrong in the end, `many` plays many
and makes one that goes wrong as small as it goes.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "layers" / "common"))
