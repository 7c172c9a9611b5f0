"""Signatures that any library for Standard Webhooks verifies."""

from headgate.alerts.signature import signed_headers
from headgate.base.clock import NANOS_PER_SECOND
from tests.support.receiver import Message

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + "QUJD" * 10 + "QUI="


def test_the_known_example_comes_out() -> None:
    """Computed with the reference library of Standard Webhooks (1.1.0) from the same secret, id, time and body."""
    headers = signed_headers(
        [SECRET], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330 * NANOS_PER_SECOND, b'{"test": 2432232314}'
    )
    assert headers == [
        (b"webhook-id", b"msg_p5jXN8AQM9LWM0D4loKWxJek"),
        (b"webhook-timestamp", b"1614265330"),
        (b"webhook-signature", b"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
    ]


def test_within_a_rotation_either_secret_verifies() -> None:
    """A receiver may change over whenever it likes; a secret that is neither does not verify, nor does another body."""
    headers = {
        name.decode(): value.decode()
        for name, value in signed_headers([SECRET, OTHER], "evt_1", NANOS_PER_SECOND, b"body")
    }
    message = Message("/", headers, b"body")
    assert message.signed_with(SECRET)
    assert message.signed_with(OTHER)
    assert not message.signed_with("whsec_" + "A" * 44)
    assert not Message("/", headers, b"another").signed_with(SECRET)
