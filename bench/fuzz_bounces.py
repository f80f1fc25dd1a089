"""Mutated reports without end: none may raise, none may cost more than 50 ms of CPU.

python bench/fuzz_bounces.py [COUNT] [SEED]
"""

from __future__ import annotations

import multiprocessing
import random
import sys
import time
import traceback
from pathlib import Path

from newsletter.bounces import examine

MAILS = [path.read_bytes() for path in sorted(Path(__file__).parents[1].glob("tests/bounces/mails/*.eml"))]
COUNT = 1_000_000
LIMIT = 0.050
WORKERS = multiprocessing.cpu_count()

CRUMBS = [
    *(bytes([byte]) for byte in b"\n\r\t <>@:;,.\"'\\=?-_*()[]{}|\x00\x1b\x80\xff"),
    b"\n\n",
    b"\r\n",
    b"--=cut\n",
    b"--=cut--",
    b"a@b.example",
    b"<a@b.example>:",
    b"Content-Type: multipart/mixed; boundary=x\n",
    b"Content-Type: message/rfc822\n\n",
    b"Content-Type: message/delivery-status\n\n",
    b"Content-Type: text/html; charset=iso-2022-jp\n\n",
    b"Content-Transfer-Encoding: base64\n",
    b"Content-Transfer-Encoding: quoted-printable\n",
    b"Final-Recipient: rfc822;",
    b"Diagnostic-Code: smtp; 550-5.1.1 ",
    b"Feedback-Type: abuse\n",
    b'{"notificationType":"Bounce"',
    b"=?utf-8?B?=",
    b"<style>",
    b">>> RCPT TO:<a@b.example>\n<<< 550 ",
]


def mutate(rng: random.Random) -> bytes:
    """Return a report that has been cut, crossed, repeated and sprinkled; now and then blown up."""
    raw = bytearray(rng.choice(MAILS))
    for _ in range(rng.randint(1, 8)):
        start = rng.randrange(len(raw) + 1)
        end = min(len(raw), start + rng.randint(0, 200))
        kind = rng.randrange(6)
        if kind == 0:
            del raw[start:end]
        elif kind == 1:
            raw[start:start] = rng.choice(CRUMBS)
        elif kind == 2:
            other = rng.choice(MAILS)
            cut = rng.randrange(len(other))
            raw[start:end] = other[cut : cut + rng.randint(0, 400)]
        elif kind == 3 and start < len(raw):
            raw[start] = rng.randrange(256)
        elif kind == 4:
            raw[start:start] = raw[start:end] * rng.randint(1, 4)
        elif rng.random() < 0.002:
            raw[start:start] = (bytes(raw[start : start + rng.randint(1, 80)]) or b"@") * rng.randint(
                100, 4000
            )
    return bytes(raw)


def cost(raw: bytes) -> float:
    """Return the CPU seconds of one reading; what is too dear is measured again, to leave noise out."""
    least = float("inf")
    for _ in range(3):
        began = time.process_time()
        examine(raw)
        least = min(least, time.process_time() - began)
        if least < LIMIT:
            break
    return least


def work(task: tuple[int, int]) -> tuple[float, str]:
    """Read a share of the mails; return the dearest one's cost and what went wrong first."""
    seed, count = task
    rng = random.Random(seed)
    worst = 0.0
    for number in range(count):
        raw = mutate(rng)
        try:
            seconds = cost(raw)
        except Exception:
            return worst, f"mail {number} of seed {seed}:\n{traceback.format_exc()}\n{raw!r}"
        if seconds > LIMIT:
            return seconds, f"mail {number} of seed {seed}: {seconds * 1e3:.0f} ms\n{raw[:2000]!r}"
        worst = max(worst, seconds)
    return worst, ""


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    share = max(1, count // (WORKERS * 8))
    tasks = [(seed * 1_000_003 + number, share) for number in range(WORKERS * 8)]
    began = time.perf_counter()
    with multiprocessing.Pool(WORKERS) as pool:
        results = pool.map(work, tasks, chunksize=1)
    wrong = next((what for _, what in results if what), "")
    if wrong:
        raise SystemExit(wrong)
    worst = max(seconds for seconds, _ in results)
    elapsed = time.perf_counter() - began
    total = share * len(tasks)
    print(
        f"bounces   {total:,} mutated mails, no exception, the dearest {worst * 1e3:.1f} ms CPU"
        f" ({elapsed:.0f} s, {WORKERS} processes)"
    )


if __name__ == "__main__":
    main()
