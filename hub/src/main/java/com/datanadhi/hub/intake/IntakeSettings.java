package com.datanadhi.hub.intake;

import com.datanadhi.hub.log.Durability;
import java.time.Duration;

/// How intake works.
///
/// @param durability when an append counts
/// @param keyHorizonMillis how long any key is known, in milliseconds
/// @param bounds of what is not applied yet
public record IntakeSettings(Durability durability, long keyHorizonMillis, Bounds bounds) {
  public IntakeSettings {
    if (keyHorizonMillis < 1) {
      throw new IllegalArgumentException("the key horizon is " + keyHorizonMillis + " ms");
    }
  }

  /// The defaults of the contract.
  public static IntakeSettings defaults() {
    return new IntakeSettings(Durability.FSYNC, Duration.ofDays(30).toMillis(), Bounds.defaults());
  }

  /// Beyond these, a tenant's new records are refused until applying has caught up.
  ///
  /// @param tenantRecords records of one tenant that are not applied
  /// @param tenantBytes bytes of their log records
  /// @param records of all tenants that are not applied
  public record Bounds(long tenantRecords, long tenantBytes, long records) {
    public Bounds {
      if (tenantRecords < 1 || tenantBytes < 1 || records < 1) {
        throw new IllegalArgumentException("a bound of unapplied records is less than 1");
      }
    }

    /// 500,000 records or 256 MiB a tenant, 1,000,000 records in all.
    public static Bounds defaults() {
      return new Bounds(500_000, 256L << 20, 1_000_000);
    }
  }
}
