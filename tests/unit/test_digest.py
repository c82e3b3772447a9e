import hashlib
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.store.digest import SAMPLE_SIZE, ContentHasher, DigestClaim


def in_blocks(content: bytes, size: int, *, sampled: bool = True) -> ContentHasher:
    hasher = ContentHasher(sampled_size=len(content) if sampled else None)
    for start in range(0, len(content), size):
        hasher.update(content[start : start + size])
    return hasher


@pytest.mark.parametrize("size", [2 * SAMPLE_SIZE + 1, 3 * SAMPLE_SIZE, 12_345_678])
@pytest.mark.parametrize("block", [65_536, 1_000_003, SAMPLE_SIZE, 20_000_000])
def test_the_sample_is_the_first_and_last_5_mib_and_the_size(size: int, block: int) -> None:
    content = os.urandom(size)
    field = str(size).encode().ljust(16, b"\0")
    expected = hashlib.sha256(content[:SAMPLE_SIZE] + content[-SAMPLE_SIZE:] + field).digest()
    hasher = in_blocks(content, block)
    assert hasher.satisfies((DigestClaim("sha-256-sampled", expected),))
    assert hasher.satisfies((DigestClaim("sha-256", hashlib.sha256(content).digest()),))
    assert not hasher.satisfies((DigestClaim("sha-256", expected),))


def test_one_true_claim_is_enough_and_no_claims_are_satisfied() -> None:
    hasher = in_blocks(b"content", 3)
    right = DigestClaim("sha-256", hashlib.sha256(b"content").digest())
    wrong = DigestClaim("sha-256", bytes(32))
    assert hasher.satisfies(())
    assert hasher.satisfies((wrong, right))
    assert not hasher.satisfies((wrong,))


def test_a_sample_that_was_not_computed_satisfies_nothing() -> None:
    assert not in_blocks(b"content", 3, sampled=False).satisfies((DigestClaim("sha-256-sampled", bytes(32)),))


@given(st.binary(), st.binary(), st.binary())
def test_a_copied_hasher_is_independent(head: bytes, left: bytes, right: bytes) -> None:
    hasher = ContentHasher()
    hasher.update(head)
    twin = hasher.copy()
    hasher.update(left)
    twin.update(right)
    assert hasher.sha256 == hashlib.sha256(head + left).digest()
    assert twin.sha256 == hashlib.sha256(head + right).digest()
    assert twin.size == len(head) + len(right)


@given(st.sampled_from(["sha-256", "sha-256-sampled"]), st.binary(min_size=32, max_size=32))
def test_a_claim_survives_the_conversion_to_text(scheme: str, value: bytes) -> None:
    claim = DigestClaim.parse(f"{scheme}:{value.hex()}")
    assert DigestClaim.parse(str(claim)) == claim


@pytest.mark.parametrize("text", ["md5:00", "sha-256", "sha-256:zz"])
def test_a_malformed_claim_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        DigestClaim.parse(text)
