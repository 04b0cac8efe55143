package com.datanadhi.hub.apply;

import com.datanadhi.hub.view.ViewException;
import com.datanadhi.hub.view.ViewState;
import java.io.IOException;
import java.util.Set;
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

        @Override
        public boolean takeBefore(String tenant, long end) {
          return false;
        }

        @Override
        public Set<String> tenants() {
          return Set.of();
        }

        @Override
        public void archivedOffsets(String tenant, @Nullable ViewState has, OffsetSink sink) {}
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

  /// Takes into a parked tenant's database what is kept of its log records before an offset, which
  /// the log cannot give. Makes the database if there is none.
  ///
  /// @return whether the database is known to have all of them now
  /// @throws IOException what is kept cannot be used now, or is damaged
  boolean takeBefore(String tenant, long end)
      throws IOException, ViewException, InterruptedException;

  /// The tenants of which something is kept.
  ///
  /// @throws IOException it cannot be told now
  Set<String> tenants() throws IOException, InterruptedException;

  /// Names the log records that are archived of a tenant behind what its database has, in order. Of
  /// an archive that is damaged it names none.
  ///
  /// @param has the state of the database; null if there is none that can be read
  /// @throws IOException they cannot be told now
  void archivedOffsets(String tenant, @Nullable ViewState has, OffsetSink sink)
      throws IOException, InterruptedException;

  /// Takes offsets of log records.
  @FunctionalInterface
  interface OffsetSink {
    /// Takes the next one; the same can come more than once.
    ///
    /// @return whether to go on
    boolean accept(long offset);
  }
}
