"""Pseudonyms and keys, made as lpa makes them. Shared by the jobs in Python."""

import hashlib
import hmac

KEY = b"k" * 32


def pseudonym(kind: str, clear: str) -> str:
    """kind: such as `learner:campus`."""
    return hmac.digest(KEY, f"lpa:v1:{kind}:{clear}".encode(), "sha256").hex()


def person_key(of_pseudonym: str) -> int:
    return int(of_pseudonym[:15], 16)


def id_key(kind: str, value: str) -> int:
    return int(hashlib.sha256(f"lpa:{kind}:campus:{value}".encode()).hexdigest()[:15], 16)
