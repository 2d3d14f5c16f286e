"""The sandbox holds what our modules cost: nothing is imported anew for a run."""

from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.worker import Worker

from tests.workflow.probes import PROBE_QUEUE, SharingProbe, copies_seen
from workflows.codec import Keyring
from workflows.connection import NAMESPACE, EngineUnreachableError, configured, connect, worker_options


async def test_a_run_shares_its_modules_with_all_others(probes: Client) -> None:
    handle = await probes.start_workflow(SharingProbe.run, id="connection/shared", task_queue=PROBE_QUEUE)

    assert await handle.result() == copies_seen()


async def test_a_module_that_is_not_shared_is_reported(client: Client) -> None:
    """Without the tests among the shared modules, a probe imports them anew; the session's warnings are errors."""
    with pytest.raises(RuntimeError, match="SharingProbe") as refused:
        Worker(client, task_queue="connection", workflows=[SharingProbe], **worker_options())

    assert "tests.workflow.words was not intentionally passed through" in str(refused.value.__cause__)


async def test_a_silent_address_is_told_as_such(keyring: Keyring) -> None:
    with pytest.raises(EngineUnreachableError, match=r"127\.0\.0\.1:1"):
        await connect("127.0.0.1:1", NAMESPACE, keyring)


def test_another_server_comes_from_temporals_own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "temporal.toml"
    file.write_text('[profile.default]\naddress = "temporal.city.example:7233"\nnamespace = "jinfeng"\n')

    nothing = configured()
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(file))
    monkeypatch.setenv("TEMPORAL_API_KEY", "key")

    assert nothing == {}
    assert configured() == {
        "target_host": "temporal.city.example:7233",
        "namespace": "jinfeng",
        "api_key": "key",
        "tls": True,
    }
