package com.datanadhi.hub.restore;

import com.datanadhi.hub.control.ControlDamagedException;
import com.datanadhi.hub.control.ControlStore;
import com.datanadhi.hub.control.ControlUnavailableException;
import com.datanadhi.hub.logging.Events;
import com.datanadhi.hub.record.TenantName;
import com.datanadhi.hub.restore.Continuations.Continuation;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.ViewException;
import com.datanadhi.hub.view.ViewState;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;

/// Lets restored databases continue in this directory's log, which is a new one: each gets the
/// log's epoch and stands before its first offset, and an `adopt` record in `control` says so. Seq,
/// keys, sources, chain and cursors stay as they are. What was done before a crash is not done
/// again.
public final class Adoption {
  private final RestoredFile restored;
  private final String epoch;
  private final TenantDatabases databases;
  private final ControlStore control;
  private final Continuations continuations;

  /// @param epoch of the log
  public Adoption(
      RestoredFile restored,
      String epoch,
      TenantDatabases databases,
      ControlStore control,
      Continuations continuations) {
    this.restored = restored;
    this.epoch = epoch;
    this.databases = databases;
    this.control = control;
    this.continuations = continuations;
  }

  /// Does it, before anything is applied. Starts the control store.
  ///
  /// @throws IOException a database or the log cannot be used
  public void run() throws IOException, InterruptedException {
    Map<String, Continuation> continued = new HashMap<>();
    restored
        .tenants()
        .forEach((tenant, at) ->
            continued.put(tenant, new Continuation(at.seq(), at.chain(), epoch, -1)));
    continuations.put(continued);
    try {
      RestoredFile.Tenant ofControl = restored.tenants().get(TenantName.CONTROL);
      if (ofControl != null) {
        boolean _ = continueInNewLog(TenantName.CONTROL, ofControl);
      }
      control.start();
      if (ofControl != null && control.appliedOffset() < 0) {
        record(TenantName.CONTROL, ofControl);
      }
      for (Map.Entry<String, RestoredFile.Tenant> entry : restored.tenants().entrySet()) {
        String tenant = entry.getKey();
        if (!tenant.equals(TenantName.CONTROL) && stands(tenant, entry.getValue())) {
          record(tenant, entry.getValue());
          boolean _ = continueInNewLog(tenant, entry.getValue());
          Events.info("tenant_adopted", "tenant", tenant, "seq", entry.getValue().seq());
        }
      }
    } catch (ViewException | ControlDamagedException | ControlUnavailableException unusable) {
      throw new IOException(
          "a restored database cannot be used: " + unusable.getMessage(), unusable);
    }
  }

  private void record(String tenant, RestoredFile.Tenant at)
      throws ControlUnavailableException, InterruptedException {
    control.adopt(tenant, String.valueOf(at.epoch()), at.seq(), at.chain());
  }

  /// Whether the database is as it was restored.
  private boolean stands(String tenant, RestoredFile.Tenant at)
      throws ViewException, InterruptedException {
    return databases.exists(tenant)
        && isRestored(databases.read(tenant, reader -> reader.state()), at);
  }

  private boolean isRestored(ViewState state, RestoredFile.Tenant at) {
    return !epoch.equals(state.epoch())
        && state.epoch() != null
        && state.epoch().equals(at.epoch())
        && state.seq() == at.seq()
        && state.chain().equals(at.chain());
  }

  /// @return whether the database was changed
  private boolean continueInNewLog(String tenant, RestoredFile.Tenant at)
      throws ViewException, InterruptedException {
    if (!stands(tenant, at)) {
      return false;
    }
    long _ =
        databases.writeMailbox(
            tenant,
            mailbox -> {
              mailbox.continueInNewLog();
              return mailbox.controlOffset();
            });
    return databases.write(
        tenant,
        writer -> {
          ViewState before = writer.state();
          if (!isRestored(before, at)) {
            return false;
          }
          writer.saveState(before.inLog(epoch, -1));
          return true;
        });
  }
}
