package com.datanadhi.hub.archive;

import java.util.Map;

/// How far the tenants are applied. Thread-safe.
@FunctionalInterface
public interface AppliedTenants {
  /// The last applied seq of each tenant, 0 included, `_control` included.
  Map<String, Long> seqs();
}
