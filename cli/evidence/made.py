"""Makes a pack of a case: its own files, what is told from them, and the manifest over all."""

from __future__ import annotations

from cli.evidence.case import Case, case_in, files_of, told_chain
from cli.evidence.page import page
from cli.evidence.telling import timeline
from cli.evidence.zipped import FORMAT, MANIFEST, manifest, zipped

README, PAGE, TIMELINE = "README.txt", "page.html", "timeline.txt"
TOLD = frozenset({README, PAGE, TIMELINE})
"""Files that follow from the others."""

READ_ME = f"""\
Evidence of one order ({FORMAT}).

page.html       for people: open it in a browser, or print it
timeline.txt    what happened, in UTC and in the shop's time, and since when it is known
facts.jsonl     every fact, one a line, as the table holds it
chain.txt       the chain that binds them: which facts were known when
deliveries/     what senders sent, byte for byte (.body), and what is known of it (.json)
pictures/       proofs of delivery
packs/          the policy that the clocks rest on
order.json      the order as it stood, and its shop's settings
manifest.json   the SHA-256 of every file, and the head of the chain

To check it with our software:

    shipclock evidence verify FILE

To check it without, with SHA-256 alone:

1. Each file's SHA-256 is the one in manifest.json.
2. In chain.txt a link is a line that begins with shipclock-chain-1 and the lines after it, each
   with its line feed. Its SHA-256 stands at the end of the next link's first line; that of the last
   link is the head in manifest.json. The first link has 64 zeros there.
3. A link's line says how a fact was met, what it is, its name and its digest. For a line of
   facts.jsonl take the texts pk, sk, kind, state, via and doc, an empty one where it has none, as a
   JSON list without spaces, all but ASCII escaped: the SHA-256 of that is its digest. The name is
   the first 16 digits of the SHA-256 of the list of pk and sk.
4. "via" of a fact ends with the SHA-256 of the body that it came from.

Who was told a chain's head at an earlier time can tell that nothing before it was changed since.
"""


def told_files(case: Case) -> dict[str, bytes]:
    """The files that follow from a case."""
    return {
        README: READ_ME.encode(),
        PAGE: page(case),
        TIMELINE: timeline(case).encode(),
    }


def pack(case: Case) -> bytes:
    """The pack's bytes: of one case always the same."""
    files = files_of(case)
    files |= told_files(case_in(files))  # told of what is read back: whoever verifies has no more
    about = {"order_id": case.order_id, "chain": told_chain(case)}
    return zipped({**files, MANIFEST: manifest(files, about)})
