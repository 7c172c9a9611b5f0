"""What a gateway adds to one call at a time: p50 and p99 beside the mock asked directly, in the same run.

By size of the body, towards a provider of another language, and to a provider over TLS.
"""

import datetime
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bench.asking import KB, ask
from bench.gateway import running_gateway
from bench.lab import Lab, lab, mocked
from bench.peers.nginx import nginx
from bench.peers.subject import CannotRun, Subject
from bench.rig import save, table
from headgate.base.clock import NANOS_PER_SECOND, SystemClock

CALLS: Final = 3000
SIZES_KB: Final = (1, 10, 400)
Times = tuple[float, float]
"""p50 and p99 in milliseconds."""


class Sample:
    """Rounds of all subjects taking turns; of each figure the least disturbed round counts."""

    def __init__(self, folder: Path, rounds: int) -> None:
        self._folder = folder
        self._rounds = rounds

    def added(self, direct: Subject, subjects: list[Subject], size: int, calls: int) -> dict[str, Times]:
        times = {subject.name: self._best(subject, size, calls) for subject in (direct, *subjects)}
        base = times[direct.name]
        return {name: (p50 - base[0], p99 - base[1]) for name, (p50, p99) in times.items() if name != direct.name}

    def _best(self, subject: Subject, size: int, calls: int) -> Times:
        ask("bench.load", subject, self._folder, size, 1, max(calls // 10, 5))
        told = [ask("bench.load", subject, self._folder, size, 1, calls) for _ in range(self._rounds)]
        return min(each["p50_ms"] for each in told), min(each["p99_ms"] for each in told)


def measure(here: Lab, calls: int, rounds: int) -> dict[str, dict[str, Times]]:
    """By situation and by who."""
    sample = Sample(here.folder, rounds)
    found: dict[str, dict[str, Times]] = {}
    for size in SIZES_KB:
        everybody = [here.nginx, here.headgate, *here.peers]
        found[f"{size} kB"] = sample.added(here.mock, everybody, size * KB, calls if size < 100 else calls // 5)
    found["1 kB, translated"] = sample.added(here.mock, [here.translated], KB, calls)
    with over_tls(here.folder) as (direct, subjects):
        found["1 kB, TLS upstream"] = sample.added(direct, subjects, KB, calls)
    return found


@contextmanager
def over_tls(folder: Path) -> Iterator[tuple[Subject, list[Subject]]]:
    """A mock behind TLS, nginx and Headgate before it; and a plain mock to be asked directly."""
    authority, certificate = certificates(folder)
    with ExitStack() as stack:
        direct, secured = stack.enter_context(mocked()), stack.enter_context(mocked(certificate=certificate))
        plain = stack.enter_context(nginx(secured.port, tls=True))
        trusting = {"SSL_CERT_FILE": str(authority)}
        gateway = stack.enter_context(running_gateway(folder / "tls", secured.port, trusting, "https"))
        yield direct, [plain, gateway.subject]


def certificates(folder: Path) -> tuple[Path, Path]:
    """A certificate for `localhost` that signs itself, and the same with its key, as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.fromtimestamp(SystemClock().now() / NANOS_PER_SECOND, datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    public = made.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    authority, certificate = folder / "authority.pem", folder / "certificate.pem"
    authority.write_bytes(public)
    certificate.write_bytes(public + secret)
    return authority, certificate


def run(*, peers: bool = False, quick: bool = False) -> None:
    """`python -m bench latency [--peers] [--quick]`"""
    try:
        with lab(peers=peers) as here:
            found = measure(here, CALLS // 5 if quick else CALLS, 1 if quick else 3)
    except CannotRun as why:
        print(f"\nlatency: not run. nginx: {why}.")
        return
    lines = [
        [situation, who, f"{p50:.3f}", f"{p99:.3f}"]
        for situation, times in found.items()
        for who, (p50, p99) in times.items()
    ]
    table("Added to one call at a time (ms; gateway minus direct), everything on", lines, ["", "", "p50", "p99"])
    here.tell_absent()
    save("latency", {**here.told, "added_ms": found})
