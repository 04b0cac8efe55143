package com.datanadhi.hub.apply;

import com.datanadhi.hub.view.ViewException;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/// What is kept of the tenants' histories outside of the log. Thread-safe.
public interface TenantBase {
  /// Nothing is kept.
  TenantBase NONE =
      new TenantBase() {
        @Override
        public boolean isNeeded(String tenant) {
          return false;
        }

        @Override
        public @Nullable Base putInPlace(String tenant, long logStart) {
          return null;
        }
      };

  /// Databases that were made from what is kept.
  ///
  /// @param hasCounts whether their counts of log records are complete; else they lack those that
  ///   stored nothing
  record Base(boolean hasCounts) {}

  /// Whether the tenant has a history from before this log.
  boolean isNeeded(String tenant);

  /// Replaces the tenant's databases by new ones, from which the log goes on.
  ///
  /// @param logStart the first offset of the log
  /// @return null if nothing is kept of the tenant
  /// @throws IOException what is kept cannot be used now, or is damaged
  @Nullable Base putInPlace(String tenant, long logStart)
      throws IOException, ViewException, InterruptedException;
}
