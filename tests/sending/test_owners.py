"""A process knows which others on its machine are gone, and never takes one elsewhere for dead."""

from __future__ import annotations

import os
import subprocess
import sys

from newsletter.sending import owners


def test_a_process_that_runs_is_not_dead_and_one_that_ended_is() -> None:
    name = "import sys; sys.stdout.write(__import__('newsletter.sending.owners').sending.owners.own())"
    ended = subprocess.run([sys.executable, "-c", name], capture_output=True, text=True, check=True).stdout
    assert not owners.is_dead(owners.own())
    assert owners.is_dead(ended)


def test_a_pid_that_was_given_again_does_not_bring_its_first_owner_back() -> None:
    host, _, rest = owners.own().rpartition(":")[0].rpartition(":")
    assert rest == str(os.getpid())
    assert owners.is_dead(f"{host}:{os.getpid()}:1")


def test_a_machine_of_the_same_name_is_another_machine() -> None:
    host = owners.own().partition("/")[0]
    assert not owners.is_dead(f"{host}/00000000:999999999:1")
    assert not owners.is_dead(f"{host}:999999999:1")


def test_people_are_told_the_machine_and_the_process() -> None:
    assert owners.plainly("mail-2/1a2b3c4d:4711:99") == "mail-2 (process 4711)"
    assert owners.plainly("fe80::1/1a2b3c4d:4711:") == "fe80::1 (process 4711)"
