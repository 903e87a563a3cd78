"""A control plane behind a company's own certificates: only who is vouched for is spoken to."""

import datetime as dt
import ipaddress

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from edge_node.settings_uplink import Uplink
from shared import wire
from shared.errors import SettingsInvalid
from shared.errors.uplink import ControlUnreachable
from tests.integration.uplink.conftest import enrolled, running, until
from tests.support.control_double import ControlDouble
from tests.support.stores import bench


@pytest.fixture
def certificate(tmp_path):
    """Give a certificate for this machine, which vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "control plane of a test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, secret = tmp_path / "ca.pem", tmp_path / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return pem, secret


async def test_only_who_is_vouched_for_is_spoken_to(tmp_path, certificate):
    control = ControlDouble(*certificate).start()
    ours = Uplink(ca_file=str(certificate[0]))
    try:
        async with bench(tmp_path / "node") as node:
            with pytest.raises(ControlUnreachable):
                await enrolled(node, control)
            with pytest.raises(SettingsInvalid):
                await enrolled(node, control, settings=Uplink(ca_file=str(certificate[1])))
            assert control.bodies == []
            await enrolled(node, control, settings=ours)
            control.take_in("eu")
            async with running(node, control, ca_file=ours.ca_file):
                await until(lambda: control.of(wire.Beat))
    finally:
        control.stop()
