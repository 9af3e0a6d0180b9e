"""The result of a leak test, written into a training set's manifest, certificate and card."""

import time
from collections.abc import Callable
from dataclasses import replace

from definitions.errors import DefinitionChanged, UsageError
from definitions.services import FeatureService
from definitions.versions import service_fingerprint
from jobs.inputs.stored_set import StoredSet
from jobs.run.context import Context
from jobs.run.outcome import Status, StepOutcome
from jobs.run.short_runs import recorded
from jobs.training_set.manifest import Manifest, data_key
from jobs.training_set.manifest_files import manifest_of, write_manifest
from jobs.training_set.pages import write_pages
from lakehouse.leases.leases import LeaseDesk
from lakehouse.storage_errors import TableMissing
from pit_join.errors import FutureLeak
from pit_join.facts import AT_LABEL
from reports.training_set import LeakTestResult

_REASON = "leak test"
_REASONS = (_REASON, "future-poison test")  # the second: its name in earlier releases
LeakTest = Callable[[Context, StoredSet, str], LeakTestResult]


def record_leak_test(context: Context, name: str, leak_test: LeakTest) -> Manifest:
    """Run the test on a stored training set, and write its result into the manifest and the pages.

    leak_test: a function of a context, the stored set and the id of this run. The set is leased until it returns.
    Raises FutureLeak when a cell changed, after the certificate was marked as not certified; UsageError for a set that
    used the latest knowledge, DefinitionChanged where the service's definitions have changed since.
    """
    _service(context, manifest_of(context.warehouse, name))
    table, begun = data_key(name), time.monotonic()
    with (
        recorded(context, f"training-set prove {name}") as run,
        LeaseDesk.at(context.warehouse.leases, run_id=run.run_id).acquire(table),
        run.step(table),
    ):
        manifest = manifest_of(context.warehouse, name)
        result = leak_test(run.context, _stored(context, manifest), run.run_id)
        tested = with_result(manifest, result)
        write_manifest(context.warehouse, tested)
        write_pages(context.warehouse, tested)
        if result.changed_cells:
            raise FutureLeak(f"training set '{name}': {result.summary(name)}. Its certificate says so now.")
        seconds, version = time.monotonic() - begun, manifest.data.version
        run.ended(StepOutcome(table=table, status=Status.PUBLISHED, version=version, seconds=seconds))
    return tested


def with_result(manifest: Manifest, result: LeakTestResult) -> Manifest:
    """The manifest with the result in its certificate; a cell that changed makes it not certified."""
    reasons = [reason for reason in manifest.certificate.reasons if not reason.startswith(_REASONS)]
    if result.changed_cells:
        reasons.append(f"{_REASON}: {result.summary(manifest.name)}")
    certificate = replace(manifest.certificate, is_certified=not reasons, reasons=tuple(reasons), leak_test=result)
    card = replace(manifest.card, is_certified=certificate.is_certified, reasons=certificate.reasons)
    return replace(manifest, certificate=certificate, card=card)


def _stored(context: Context, manifest: Manifest) -> StoredSet:
    if manifest.data.version is None:
        raise TableMissing(f"training set '{manifest.name}' names no version of its rows; build it again.")
    return StoredSet(
        key=data_key(manifest.name),
        version=manifest.data.version,
        service=_service(context, manifest),
        release=manifest.release,
        keys=manifest.options.keys,
        continued=frozenset(view.table for view in manifest.views.values() if view.derived_from),
    )


def _service(context: Context, manifest: Manifest) -> FeatureService:
    service = context.registry.service(manifest.service)
    if manifest.options.knowledge != AT_LABEL:
        raise UsageError(
            f"training set '{manifest.name}' was built with knowledge '{manifest.options.knowledge}': it uses facts of "
            "the future on purpose, so there is nothing to prove. Build it without --knowledge."
        )
    if service_fingerprint(service) != manifest.service_fingerprint:
        raise DefinitionChanged(
            f"training set '{manifest.name}' was built with other definitions of '{service.name}' than the current "
            "ones. Build it again, then prove it."
        )
    return service
