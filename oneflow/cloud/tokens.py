"""What VMs prove themselves with at OneGate: derived from the key of this installation and a nonce."""

import hmac

from onecore.config import Settings
from onecore.vault import installation_key

NONCE_BYTES = 16


def token_of(settings: Settings, vm_id: int, nonce: str) -> str:
    key = installation_key(settings.home / "key")
    return hmac.digest(key, f"onegate {vm_id} {nonce}".encode(), "sha256").hex()
