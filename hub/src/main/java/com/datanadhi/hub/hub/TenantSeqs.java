package com.datanadhi.hub.hub;

import com.datanadhi.hub.apply.ApplyLoop;
import com.datanadhi.hub.apply.ParkedTenants;
import com.datanadhi.hub.apply.ParkedTenants.Cause;
import com.datanadhi.hub.apply.TenantMark;
import com.datanadhi.hub.control.ControlStore;
import com.datanadhi.hub.logging.Events;
import com.datanadhi.hub.record.TenantName;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.ViewException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Which tenants there are, `_control` included, and up to which seq they are applied. Those whose
/// databases are about to be replaced are left out. Thread-safe.
final class TenantSeqs {
  private final TenantDatabases databases;
  private final ApplyLoop apply;
  private final ControlStore control;

  // Guarded by this. Tenants that applying has not looked at yet; null before they were listed.
  private @Nullable Map<String, Long> untouched;
  private final Set<String> unreadable = new HashSet<>();
  private long controlOffset = Long.MIN_VALUE;
  private long controlSeq;

  TenantSeqs(TenantDatabases databases, ApplyLoop apply, ControlStore control) {
    this.databases = databases;
    this.apply = apply;
    this.control = control;
  }

  /// The thread is to end: nothing can be said.
  static final class StoppingException extends RuntimeException {
    private static final long serialVersionUID = 1;
  }

  /// The tenants and their last applied seqs.
  ///
  /// @param isComplete whether no tenant is left out, also because its database cannot be read
  record Known(Map<String, Long> seqs, boolean isComplete) {}

  /// Everything that was applied before this call is in it.
  ///
  /// @throws StoppingException the thread was interrupted
  Known get() {
    try {
      return read();
    } catch (InterruptedException stopping) {
      Thread.currentThread().interrupt();
      throw new StoppingException();
    }
  }

  private synchronized Known read() throws InterruptedException {
    Map<String, TenantMark> marks = apply.positions();
    boolean isListed = list(marks);
    Map<String, Long> seqs = new HashMap<>(untouched == null ? Map.of() : untouched);
    for (Map.Entry<String, TenantMark> entry : marks.entrySet()) {
      seqs.put(entry.getKey(), entry.getValue().seq());
      unreadable.remove(entry.getKey());
    }
    boolean isLeftOut = false;
    for (ParkedTenants.Parked parked : apply.parked().list()) {
      if (ParkedTenants.needsRebuild(parked.cause()) || parked.cause() == Cause.FOREIGN) {
        isLeftOut |= seqs.remove(parked.tenant()) != null;
      }
    }
    long offset = control.appliedOffset();
    if (offset != controlOffset) {
      Long seq = seqOf(TenantName.CONTROL);
      if (seq != null) {
        controlSeq = seq;
        controlOffset = offset;
      }
    }
    seqs.put(TenantName.CONTROL, controlSeq);
    return new Known(seqs, isListed && unreadable.isEmpty() && !isLeftOut);
  }

  /// Reads the databases that applying has not looked at, once.
  private boolean list(Map<String, TenantMark> marks) throws InterruptedException {
    if (untouched != null) {
      return true;
    }
    Map<String, Long> found = new HashMap<>();
    try {
      for (String tenant : databases.tenants()) {
        if (!tenant.equals(TenantName.CONTROL)
            && !marks.containsKey(tenant)
            && databases.exists(tenant)) {
          Long seq = seqOf(tenant);
          if (seq == null) {
            boolean _ = unreadable.add(tenant);
          } else {
            found.put(tenant, seq);
          }
        }
      }
      untouched = found;
      return true;
    } catch (ViewException unlistable) {
      Events.warning("tenants_not_listed", "reason", unlistable.getMessage());
      return false;
    }
  }

  private @Nullable Long seqOf(String tenant) throws InterruptedException {
    try {
      return databases.exists(tenant)
          ? databases.read(tenant, reader -> reader.state().seq())
          : Long.valueOf(0);
    } catch (ViewException unusable) {
      Events.warning("tenant_unreadable", "tenant", tenant, "reason", unusable.getMessage());
      return null;
    }
  }
}
