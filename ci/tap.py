"""Checks in TAP, for the tests in Python; ci/boot/lib.sh has those of the tests in bash."""

tests = failed = 0


def check(description, holds, *about):
    """One line of TAP; what is said of it follows if it does not hold."""
    global tests, failed
    tests += 1
    failed += not holds
    print(f"{'ok' if holds else 'not ok'} {tests} - {description}", *([] if holds else ["\n#   ", about]), flush=True)


def finish():
    """The plan, at the end; returns the exit code."""
    print(f"1..{tests}")
    return 1 if failed else 0
